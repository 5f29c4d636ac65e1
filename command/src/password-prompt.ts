import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandFailure } from './failure.ts'

const shortest = 10

/** A new password: typed twice without showing on a terminal, else the first line of standard input. */
export async function readNewPassword(): Promise<string> {
  const password = process.stdin.isTTY ? await typedTwice() : await firstLine()
  if (password.length < shortest) throw new CommandFailure(`A password needs at least ${shortest} characters.`)
  return password
}

/** A password there is: typed without showing on a terminal, else the first line of standard input. */
export const readPassword = (question: string): Promise<string> => (process.stdin.isTTY ? typed(question) : firstLine())

async function typedTwice(): Promise<string> {
  const password = await typed('New password: ')
  if ((await typed('Once more: ')) !== password)
    throw new CommandFailure('The two are not the same. Nothing was changed.')
  return password
}

async function typed(question: string): Promise<string> {
  process.stdout.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const dialogue = createInterface({ input: process.stdin, output: silent, terminal: true })
  const cancelled = once(dialogue, 'SIGINT').then(() => Promise.reject(new CommandFailure('Cancelled.')))
  try {
    const [line] = (await Promise.race([once(dialogue, 'line'), cancelled])) as [string]
    return line
  } finally {
    process.stdout.write('\n')
    dialogue.close()
  }
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line
  throw new CommandFailure('Give the password as the first line of standard input, or run this on a terminal.')
}
