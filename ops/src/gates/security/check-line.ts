/** One line of the security scan's evidence. */
export type CheckLine = {
  check: 'advisories' | 'secrets' | 'licences' | 'headers' | 'lockfile'
  state: 'pass' | 'fail' | 'unknown'
  summary: string
  findings: string[]
}
