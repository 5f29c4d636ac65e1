import { type EngineFacts, type EngineFile, header, plainSettings } from './engine-facts.ts'
import { yamlFile } from './yaml-file.ts'

/** Kamal 2: one or more machines with Docker, kamal-proxy in front. Lies in `deploy/kamal`, is used with `-c`. */
export function kamalFiles(facts: EngineFacts): EngineFile[] {
  const shutIn = {
    'read-only': true,
    tmpfs: '/tmp',
    'cap-drop': 'ALL',
    'security-opt': 'no-new-privileges',
    init: true,
  }
  const { HOST, PORT, ...settings } = plainSettings(facts)
  const host = '192.0.2.10'
  const config = {
    service: 'dam',
    image: facts.image.replace(/^[^/]*\.[^/]*\//, ''),
    registry: { server: facts.image.split('/')[0], username: 'dam', password: ['KAMAL_REGISTRY_PASSWORD'] },
    builder: {
      arch: 'amd64',
      dockerfile: 'deploy/compose/Dockerfile',
      // Kamal reads this file through ERB. VERSION=v1.0.0 kamal deploy
      args: { DAM_TAG: '<%= ENV.fetch("VERSION") %>', DAM_COMMIT: '<%= `git rev-parse HEAD`.strip %>' },
    },
    servers: {
      web: { hosts: [host], cmd: 'backend/src/main.ts web', options: { ...shutIn, memory: '1g' } },
      worker: { hosts: [host], cmd: 'backend/src/main.ts worker', options: { ...shutIn, memory: '3g' } },
      ops: {
        hosts: [host],
        cmd: 'ops/src/main.ts',
        options: { ...shutIn, memory: '512m' },
        env: { clear: { OPS_HOST: '0.0.0.0', OPS_PORT: String(facts.opsPort) } },
        proxy: {
          host: `ops.${facts.domain}`,
          ssl: true,
          app_port: facts.opsPort,
          healthcheck: { path: '/readyz', interval: facts.readyEverySeconds, timeout: 5 },
        },
      },
    },
    proxy: {
      host: facts.domain,
      ssl: true,
      app_port: facts.port,
      // An upload's answer comes when its last byte is on the disk.
      response_timeout: facts.longestUploadSeconds,
      healthcheck: { path: '/readyz', interval: facts.readyEverySeconds, timeout: 5 },
      // Bodies pass through: uploads have their own limit, event streams must not be held back.
      buffering: { requests: false, responses: false },
    },
    deploy_timeout: 90,
    drain_timeout: facts.drainSeconds,
    readiness_delay: 10,
    retain_containers: 5,
    // A page of the old release may ask for its hashed files during the switch.
    asset_path: '/app/frontend/dist/assets',
    volumes: ['/var/lib/dam:/data'],
    env: {
      clear: { HOST, PORT, ...settings },
      secret: ['DATABASE_URL', 'REDIS_URL'],
    },
    accessories: {
      postgres: {
        image: 'postgres:18',
        host,
        cmd: 'postgres -c shared_preload_libraries=pg_stat_statements',
        env: { clear: { POSTGRES_USER: 'dam', POSTGRES_DB: 'dam_db' }, secret: ['POSTGRES_PASSWORD'] },
        directories: ['postgres:/var/lib/postgresql'],
        options: { 'shm-size': '256m', restart: 'unless-stopped' },
      },
      redis: {
        image: 'redis:8',
        host,
        cmd: 'redis-server --save "" --maxmemory 256mb --maxmemory-policy allkeys-lru',
      },
    },
    hooks_path: 'deploy/kamal/hooks',
    secrets_path: '.kamal/secrets',
  }
  return [yamlFile(facts, 'kamal', 'deploy.yml', config), ...hooks(facts)]
}

function hooks(facts: EngineFacts): EngineFile[] {
  const hook = (name: string, text: string): EngineFile => ({
    path: `hooks/${name}`,
    isExecutable: true,
    text: `#!/bin/sh\n${header(facts, 'kamal')}set -eu\n${text}`,
  })
  return [
    hook(
      'pre-deploy',
      `
# The seven lines of the pre-deployment checklist; a closed gate stops Kamal. Then the schema, which both releases run on.
./dam gates production "$KAMAL_VERSION"
kamal app exec -c deploy/kamal/deploy.yml --primary --version "$KAMAL_VERSION" "command/src/main.ts migrate"
`,
    ),
    hook(
      'post-deploy',
      `
# What answers must be the release that was deployed, ${facts.failedReadiness} times, one second apart.
for _ in ${Array.from({ length: facts.failedReadiness }, (_, index) => index + 1).join(' ')}; do
  answer=$(curl --fail --silent --show-error --output /dev/null --write-out '%header{x-dam-release}' ${facts.publicUrl}/readyz)
  if [ "$answer" != "$KAMAL_VERSION" ]; then
    echo "${facts.publicUrl} is answered by $answer, not by $KAMAL_VERSION. Go back with: kamal rollback <version>" >&2
    exit 1
  fi
  sleep 1
done
# The runbook's checklist; 2 says that only a person's word is missing (./dam attest).
kamal app exec -c deploy/kamal/deploy.yml --primary --reuse "node command/src/main.ts verify local" || [ $? -eq 2 ]
`,
    ),
  ]
}
