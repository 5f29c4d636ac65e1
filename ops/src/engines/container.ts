import { type EngineFacts, type EngineFile, header } from './engine-facts.ts'

const node = 'node:24-bookworm-slim'

/** The image of a release, built from a checkout of its tag; everything that needs a network happens in the first stage. */
export function containerFiles(facts: EngineFacts): EngineFile[] {
  return [
    {
      path: 'Dockerfile',
      text: `# syntax=docker/dockerfile:1
${header(facts, 'compose')}
FROM ${node} AS build
ENV CI=1
WORKDIR /app
COPY . .
# pnpm and packages as the lockfiles say, both web applications, then only what running needs.
RUN ./dam build
RUN ./dam exec pnpm install --prod --frozen-lockfile --ignore-scripts --config.confirm-modules-purge=false \\
  && rm -rf toolchain/node_modules .git
ARG DAM_TAG
ARG DAM_COMMIT
RUN node -e "const [tag, commit] = process.argv.slice(1); require('node:fs').writeFileSync('release.json', JSON.stringify({ tag, version: tag.slice(1), commit }))" "$DAM_TAG" "$DAM_COMMIT"

FROM ${node}
RUN apt-get update \\
  && apt-get install -y --no-install-recommends bubblewrap ffmpeg libvips-tools perl \\
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production DAM_DATA=/data HOST=0.0.0.0 PORT=${facts.port} HOME=/tmp
WORKDIR /app
COPY --from=build /app /app
RUN install -d -o node -g node /data
VOLUME /data
USER 1000:1000
EXPOSE ${facts.port} ${facts.opsPort}
ENTRYPOINT ["node"]
CMD ["backend/src/main.ts", "web"]
`,
    },
    {
      path: 'Dockerfile.dockerignore',
      text: `${header(facts, 'compose')}${['.git', '**/node_modules', '**/dist', '**/dist-console', 'data', 'host', '**/*.log', '**/.env', 'test-results', 'coverage', 'deploy'].join('\n')}\n`,
    },
  ]
}

/** A probe that needs nothing but Node.js. */
export const probeCommand = (url: string): string[] => [
  'node',
  '-e',
  `fetch('${url}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`,
]
