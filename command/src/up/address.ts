import { createInterface } from 'node:readline/promises'
import type { Config } from '@dam/backend/src/config.ts'
import { CommandFailure } from '../failure.ts'
import { freePortAfter, isPortFree } from './port.ts'

/** Where DAM will listen: the port asked for, or another one when it is taken and that is agreed to. */
export async function agreeOnPort(config: Config, options: { automatic: boolean }): Promise<number> {
  const { host, port } = config
  let free: boolean
  try {
    free = await isPortFree(host, port)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EACCES') {
      throw new CommandFailure(`This user may not listen on port ${port}. Choose one above 1023, such as PORT=8080.`)
    }
    throw new CommandFailure(
      `HOST=${host} is not an address of this machine. Use localhost, or 0.0.0.0 for all addresses.`,
    )
  }
  if (free) return port
  const another = await freePortAfter(host, port)
  if (options.automatic) return another
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const dialogue = createInterface({ input: process.stdin, output: process.stdout })
    const answer = await dialogue.question(`Port ${port} is in use by another program. Use ${another} instead? [Y/n] `)
    dialogue.close()
    if (/^(y|yes|)$/i.test(answer.trim())) return another
    throw new CommandFailure('Choose a port with PORT=… or --port.')
  }
  throw new CommandFailure(
    `Port ${port} is in use by another program. Port ${another} is free:\n  PORT=${another} npm start\nor let DAM choose by itself:\n  ./dam up --port auto`,
  )
}

/** What people type into the browser. */
export function publicAddress(config: Config, port: number): string {
  if (config.publicUrl) return config.publicUrl
  const isAny = config.host === '0.0.0.0' || config.host === '::'
  const host = isAny ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host
  return `http://${host}${port === 80 ? '' : `:${port}`}`
}
