import { existsSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { endOf, logFile, type LogLine, newestLines, parseLogLine } from '@dam/ops/src/diagnosis/probes/log-lines.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { CommandFailure } from '../failure.ts'

export const help = `
Usage: ./dam logs [-n 20] [--errors] [--user 123] [--asset 7] [--request <id>] [--follow] [--environment <name>]

The newest lines of app.log, also from the files that were moved aside. As in the runbook:

  tail -f app.log                    ./dam logs --follow
  grep ERROR app.log | tail -20      ./dam logs --errors -n 20
  grep "user_id:123" app.log         ./dam logs --user 123

--json prints the lines as they are in the file.
`

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...placeOptions,
      lines: { type: 'string', short: 'n', default: '20' },
      errors: { type: 'boolean', default: false },
      user: { type: 'string' },
      asset: { type: 'string' },
      request: { type: 'string' },
      follow: { type: 'boolean', short: 'f', default: false },
    },
  })
  const count = Number(values.lines)
  if (!Number.isInteger(count) || count < 0) throw new CommandFailure(`-n ${values.lines} is not a number of lines.`)
  using access = openDiagnosisPlace(values)
  const { logsDir } = access.place
  if (!existsSync(logFile(logsDir)) && !values.follow)
    throw new CommandFailure(`There is no ${logFile(logsDir)} yet: DAM has not run with this data folder.`)
  const isWanted = ({ level, fields }: LogLine): boolean =>
    (!values.errors || level === 'ERROR') &&
    (values.user === undefined || String(fields['user_id']) === values.user) &&
    (values.asset === undefined || String(fields['asset_id']) === values.asset) &&
    (values.request === undefined || fields['request_id'] === values.request)
  const print = (line: LogLine): void => console.log(values.json ? line.raw : lineText(line))
  if (count > 0) for (const line of newestLines(logsDir, { count, where: isWanted })) print(line)
  if (values.follow) await follow(logFile(logsDir), (line) => isWanted(line) && print(line))
  return 0
}

function lineText({ at, level, message, fields }: LogLine): string {
  const { process: by, release: _release, ref: _ref, stack: _stack, ...rest } = fields
  const details = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return [
    at.replace('T', ' ').replace('Z', ''),
    level.padEnd(5),
    typeof by === 'string' ? by.padEnd(6) : '',
    message,
    ...details,
  ]
    .filter(Boolean)
    .join('  ')
}

/** Prints what is added, also after the file was moved aside; until Ctrl-C. */
async function follow(file: string, onLine: (line: LogLine) => void): Promise<void> {
  const sizeNow = (): { ino: number; size: number } => {
    const stat = statSync(file, { throwIfNoEntry: false })
    return { ino: stat?.ino ?? 0, size: stat?.size ?? 0 }
  }
  let isOver = false
  process.once('SIGINT', () => (isOver = true))
  let seen = sizeNow()
  while (!isOver) {
    await sleep(300)
    const now = sizeNow()
    const added = now.ino === seen.ino ? now.size - seen.size : now.size
    // A line that is being written is read whole the next time: lines end with a line feed.
    const text = added > 0 ? endOf(file, added) : ''
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    for (const raw of whole.split('\n')) if (raw) onLine(parseLogLine(raw))
    seen = { ino: now.ino, size: now.size - (Buffer.byteLength(text) - Buffer.byteLength(whole)) }
  }
}
