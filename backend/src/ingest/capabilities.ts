import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Capability } from '@dam/contract'
import { findSandbox } from '../converter/sandbox.ts'
import { findTools, type ToolName, type Tools } from '../converter/tools.ts'

const run = promisify(execFile)

const catalogue: {
  name: string
  tool: ToolName
  version: readonly string[]
  pattern: RegExp
  enables: string
  install: string
}[] = [
  {
    name: 'perl',
    tool: 'perl',
    version: ['-e', 'print $^V'],
    pattern: /v([\d.]+)/,
    enables:
      'Embedded metadata (ExifTool comes with DAM and needs Perl) and the previews stored inside camera RAW files',
    install: 'apt-get install -y perl',
  },
  {
    name: 'ffmpeg',
    tool: 'ffmpeg',
    version: ['-version'],
    pattern: /version (\S+)/,
    enables: 'Poster pictures of video',
    install: 'apt-get install -y --no-install-recommends ffmpeg',
  },
  {
    name: 'vipsthumbnail',
    tool: 'vipsthumbnail',
    version: ['--version'],
    pattern: /vips[- ]([\d.]+)/,
    enables: 'HEIC, JPEG XL and JPEG 2000 two to eight times faster than with the built-in decoder',
    install: 'apt-get install -y --no-install-recommends libvips-tools',
  },
]

export type Probe = { capabilities: Capability[]; tools: Tools }

/** Looks once for every program that makes DAM better: version, what it gives, and the command that installs a missing one. `searchPath` as PATH. */
export async function probeCapabilities(searchPath: string): Promise<Probe> {
  const tools = findTools(searchPath)
  const programs = catalogue.map(async ({ name, tool, version, pattern, enables, install }): Promise<Capability> => {
    const program = tools[tool]
    const stated = program ? await versionOf(program, version, pattern) : null
    return { name, available: program !== undefined, version: stated, enables, install: program ? null : install }
  })
  const sandbox = findSandbox(tools)
  return {
    tools,
    capabilities: [
      ...(await Promise.all(programs)),
      {
        name: 'sandbox',
        available: sandbox.kind !== 'none',
        version:
          sandbox.kind === 'bwrap' && tools.bwrap ? await versionOf(tools.bwrap, ['--version'], /([\d.]+)/) : null,
        enables: `Converters of uploaded files are shut in: ${sandbox.describe}`,
        install: sandbox.kind === 'bwrap' ? null : 'apt-get install -y bubblewrap',
      },
    ],
  }
}

async function versionOf(program: string, args: readonly string[], pattern: RegExp): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(program, [...args], {
      timeout: 5_000,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    })
    return pattern.exec(`${stdout}${stderr}`)?.[1] ?? null
  } catch {
    return null
  }
}
