import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findSandbox } from '@dam/backend/src/converter/sandbox.ts'
import { findTools } from '@dam/backend/src/converter/tools.ts'
import { shellEnvironment } from '../config.ts'
import { findProgram } from '../toolchain.ts'
import type { Finding } from './finding.ts'

type Tool = { programs: string[]; package: string; purpose: string; versionArgs: string[] }

const tools: Tool[] = [
  {
    programs: ['perl'],
    package: 'perl',
    purpose:
      'runs ExifTool, which reads and writes embedded metadata; without it only the metadata of common images is read',
    versionArgs: ['-e', 'print $^V'],
  },
  {
    programs: ['vipsthumbnail'],
    package: 'libvips-tools',
    purpose: 'previews of JPEG XL, JPEG 2000 and more formats',
    versionArgs: ['--version'],
  },
  { programs: ['ffmpeg'], package: 'ffmpeg', purpose: 'previews and duration of video', versionArgs: ['-version'] },
  {
    programs: ['bwrap'],
    package: 'bubblewrap',
    purpose: 'locks the converters of uploaded files away from network and disk',
    versionArgs: ['--version'],
  },
  {
    programs: ['prlimit'],
    package: 'util-linux',
    purpose: 'limits the memory of converters',
    versionArgs: ['--version'],
  },
  {
    programs: ['psql'],
    package: 'postgresql-client',
    purpose: "the runbook's psql lines (./dam psql -c works without it)",
    versionArgs: ['--version'],
  },
  {
    programs: ['chromium', 'google-chrome', 'chromium-browser'],
    package: 'chromium',
    purpose: 'browser tests of ./dam test only',
    versionArgs: ['--version'],
  },
]

export async function checkTools(): Promise<Finding[]> {
  return Promise.all(
    tools.map(async (tool): Promise<Finding> => {
      const [name = ''] = tool.programs
      const found = tool.programs
        .map((program) => findProgram(program, shellEnvironment['PATH']))
        .find((program) => program)
      if (!found) {
        return {
          name,
          state: 'missing',
          detail: 'not installed',
          purpose: tool.purpose,
          remedy: `apt-get install -y ${tool.package}`,
          package: tool.package,
        }
      }
      return {
        name,
        state: 'ok',
        detail: `${await versionOf(found, tool.versionArgs)} (${found})`,
        purpose: tool.purpose,
      }
    }),
  )
}

export async function checkSandbox(): Promise<Finding[]> {
  const sandbox = findSandbox(findTools(shellEnvironment['PATH'] ?? ''))
  const isFull = sandbox.kind === 'bwrap'
  return [
    {
      name: 'sandbox',
      state: isFull ? 'ok' : 'warning',
      detail: `${sandbox.kind}: ${sandbox.describe}`,
      purpose: 'converters of uploaded files run in it',
      ...(isFull ? {} : { remedy: 'apt-get install -y bubblewrap, and allow user namespaces in the container' }),
    },
  ]
}

async function versionOf(program: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: 10_000 })
    return /\d+(\.\d+)+/.exec(stdout)?.[0] ?? 'version not known'
  } catch {
    return 'does not answer'
  }
}
