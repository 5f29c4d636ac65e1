/** One thing that was looked at. `missing` is optional; `fatal` prevents DAM from running. */
export type Finding = {
  name: string
  state: 'ok' | 'missing' | 'warning' | 'fatal'
  detail: string
  /** What it is for, or what does not work without it. */
  purpose?: string
  /** What to do about it. */
  remedy?: string
  /** Debian package that brings it. */
  package?: string
}
