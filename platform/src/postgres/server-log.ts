import { copyFileSync, statSync, truncateSync } from 'node:fs'

const limitBytes = 10_000_000

/** Moves a full log to `<file>.1`. The server appends through an open file, so the file is emptied, never replaced. */
export function keepLogSmall(file: string): void {
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (sizeBytes < limitBytes) return
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
}
