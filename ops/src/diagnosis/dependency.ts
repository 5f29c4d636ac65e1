/** What an error is about, as far as its text tells. */
export type Dependency =
  | 'schema'
  | 'read-only'
  | 'permission'
  | 'connections'
  | 'database'
  | 'statement-time'
  | 'disk'
  | 'storage'
  | 'cache'
  | 'converter'
  | 'program'

const patterns: [Dependency, RegExp][] = [
  ['disk', /ENOSPC|No space left|disk full|could not extend file|53100/i],
  ['read-only', /read-only transaction|25006|EROFS/i],
  ['schema', /(relation|column|function|type|schema) .* does not exist|42P01|42703|42883|schema is too|migration/i],
  ['permission', /permission denied for (table|schema|relation|function|sequence|view)|42501/i],
  ['connections', /too many clients|remaining connection slots|53300|timeout exceeded when trying to connect/i],
  ['statement-time', /statement timeout|lock timeout|Query read timeout|57014|55P03|canceling statement/i],
  [
    'storage',
    /(ENOENT|EACCES|EIO|ENOTDIR|EPERM).*(blobs|incoming|renditions|quarantine|scratch)|storage|original-damaged|(blobs|incoming|renditions)\/.*(ENOENT|EACCES)/i,
  ],
  [
    'database',
    /ECONNREFUSED|ECONNRESET|Connection terminated|database (system )?(is )?(shutting|starting|not available|lost|unavailable)|57P0\d|database-unavailable|terminating connection/i,
  ],
  ['cache', /redis|cache not reachable/i],
  ['converter', /converter|exiftool|ffmpeg|vips|sharp|rendition-failed/i],
]

export const dependencyOf = (code: string, message: string): Dependency =>
  patterns.find(([, pattern]) => pattern.test(`${code} ${message}`))?.[0] ?? 'program'
