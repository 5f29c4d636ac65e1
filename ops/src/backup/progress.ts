/** What a backup, a restore or a drill does now. */
export type Progress = {
  phase: 'database' | 'originals' | 'verify' | 'copy'
  /** Such as the table. */
  what: string
  doneBytes: number
  totalBytes: number
  /** Until the end of this phase; null while nothing was measured. */
  remainingMs: number | null
}
export type Say = (progress: Progress) => void

/** Says at most every half second how far a phase is, with the time its remainder would take at the pace so far. */
export function pace(
  say: Say | undefined,
  phase: Progress['phase'],
  totalBytes: number,
): (what: string, bytes: number) => void {
  const startedAt = performance.now()
  let saidAt = -Infinity
  let doneBytes = 0
  return (what, bytes) => {
    doneBytes += bytes
    const now = performance.now()
    if (!say || now - saidAt < 500) return
    saidAt = now
    const left = Math.max(0, totalBytes - doneBytes)
    say({
      phase,
      what,
      doneBytes,
      totalBytes: Math.max(totalBytes, doneBytes),
      remainingMs: doneBytes === 0 ? null : ((now - startedAt) * left) / doneBytes,
    })
  }
}
