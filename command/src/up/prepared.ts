import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CommandFailure } from '../failure.ts'

export type Prepared =
  | { kind: 'failed'; message: string }
  | {
      kind: 'prepared'
      /** Migrations that were applied now. */
      applied: string[]
      /** One-time link to create the first administrator, when there is none. */
      setupLink: string | null
      /** Name of the administrator that was created from the settings now. */
      administrator: string | null
      operations: PreparedOperations
    }

/** The same for the operations console; its trouble keeps nothing else from starting. */
export type PreparedOperations =
  | { kind: 'failed'; message: string }
  | { kind: 'prepared'; setupLink: string | null; administrator: string | null }

/** Migrates the database and prepares the first sign-in, in a process of its own. */
export async function prepareDatabase(options: {
  environment: Record<string, string | undefined>
  address: string
  /** Of the operations console. */
  opsAddress: string
  signal: AbortSignal
}): Promise<Extract<Prepared, { kind: 'prepared' }>> {
  const child = fork(fileURLToPath(new URL('./prepare.ts', import.meta.url)), [options.address, options.opsAddress], {
    env: options.environment,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const cancel = () => child.kill('SIGKILL')
  options.signal.addEventListener('abort', cancel, { once: true })
  try {
    const answer = await new Promise<Prepared>((resolve) => {
      child.once('message', (message) => resolve(message as Prepared))
      child.once('error', (error) => resolve({ kind: 'failed', message: error.message }))
      child.once('exit', (code, signal) =>
        resolve({ kind: 'failed', message: `Preparing the database ended early (${signal ?? `code ${code}`}).` }),
      )
    })
    options.signal.throwIfAborted()
    if (answer.kind === 'failed') throw new CommandFailure(answer.message)
    return answer
  } finally {
    options.signal.removeEventListener('abort', cancel)
  }
}
