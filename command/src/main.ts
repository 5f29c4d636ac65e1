import { commands, isCommandName, overview } from './commands.ts'
import { CommandFailure } from './failure.ts'

process.title = 'dam'
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read has seen enough, as `head` does.
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
}
const [name = '--help', ...args] = process.argv.slice(2)

try {
  if (name === '--help' || name === '-h' || name === 'help') {
    const topic = args[0]
    console.log(isCommandName(topic) ? (await commands[topic].load()).help.trim() : overview())
  } else if (name === '--version' || name === '-V') {
    process.exitCode = await (await commands.version.load()).run([])
  } else if (isCommandName(name)) {
    const command = await commands[name].load()
    const wantsHelp = args.includes('--help') || args.includes('-h')
    if (wantsHelp) console.log(command.help.trim())
    else process.exitCode = await command.run(args)
  } else {
    throw new CommandFailure(`There is no command "${name}". ./dam --help lists them all.`)
  }
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
// A command that returned is over: nothing it left open (an idle connection, a timer) may keep the process alive.
await Promise.all([written(process.stdout), written(process.stderr)])
process.exit()

/** Resolves when all that was printed has left the process: a pipe takes 64 kB at a time. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()))
}

/** What went wrong, in words for the person at the terminal; only a mistake of our own comes with its stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError
  if (isBug && !('code' in error)) return error.stack ?? error.message
  if (error instanceof AggregateError) return error.errors.map(explain).join('\n')
  return error.message || String(error)
}
