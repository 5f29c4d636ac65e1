import { findProgram } from '../toolchain.ts'
import { shellEnvironment } from '../config.ts'
import { runProgram } from '../run-program.ts'
import { CommandFailure } from '../failure.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** The browser for the journeys: the one that is installed, else Debian's, installed now when this user may. */
export async function ensureChromium(): Promise<string> {
  const installed = findChromium()
  if (installed) return installed
  const command = 'apt-get install -y chromium'
  const advice = `The browser tests need Chromium. Run this and try again:\n  sudo ${command}`
  const searchPath = shellEnvironment['PATH']
  if (!findProgram('apt-get', searchPath)) {
    throw new CommandFailure('The browser tests need Chromium or Google Chrome in PATH. Install one and try again.')
  }
  const prefix = await rootPrefix(searchPath)
  if (prefix === null) throw new CommandFailure(advice)
  console.log('Installing Chromium (once) …')
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  for (const words of [
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ]) {
    const [program = '', ...args] = [...prefix, ...words]
    const { code, output } = await runProgram(program, args, { env })
    if (code !== 0) throw new CommandFailure(`${output.trim().split('\n').slice(-8).join('\n')}\n${advice}`)
  }
  const found = findChromium()
  if (!found) throw new CommandFailure(advice)
  return found
}

const findChromium = (): string | undefined =>
  names.map((name) => findProgram(name, shellEnvironment['PATH'])).find((found) => found !== null) ?? undefined

/** What makes us root: nothing when we are, sudo when it asks no password, null when there is no way. */
async function rootPrefix(searchPath: string | undefined): Promise<string[] | null> {
  if (process.getuid?.() === 0) return []
  if (!findProgram('sudo', searchPath)) return null
  const { code } = await runProgram('sudo', ['-n', 'true'])
  return code === 0 ? ['sudo', '-n'] : null
}
