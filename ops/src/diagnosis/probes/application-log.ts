import { existsSync } from 'node:fs'
import { type Dependency, dependencyOf } from '../dependency.ts'
import { NotThere } from '../probe.ts'
import { logFile, newestLines } from './log-lines.ts'

export type ApplicationLog = {
  minutes: number
  errors: number
  groups: { route: string; release: string; dependency: Dependency; message: string; count: number }[]
}

const readBytes = 1024 * 1024

/** ERROR lines of the last minutes at the end of app.log: there when the database is not. */
export function readApplicationLog(logsDir: string, minutes: number, now: Date): ApplicationLog {
  if (!existsSync(logFile(logsDir))) throw new NotThere(`there is no ${logFile(logsDir)}`)
  const from = new Date(now.getTime() - minutes * 60_000).toISOString()
  const lines = newestLines(logsDir, {
    count: 5_000,
    where: ({ level, at }) => level === 'ERROR' && at >= from,
    mostBytes: readBytes,
  })
  const groups = Map.groupBy(lines, ({ message, fields }) => `${message}\n${textOf(fields['reason'])}`)
  return {
    minutes,
    errors: lines.length,
    groups: [...groups.values()]
      .map((group) => {
        const fields = group[0]?.fields ?? {}
        const message = [group[0]?.message, textOf(fields['reason'])].filter(Boolean).join(': ')
        return {
          route: textOf(fields['route']),
          release: textOf(fields['release']),
          dependency: dependencyOf(textOf(fields['code']), message),
          message,
          count: group.length,
        }
      })
      .toSorted((a, b) => b.count - a.count)
      .slice(0, 30),
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
