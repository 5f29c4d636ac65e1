/** A dump of the database and a manifest of the originals at one logical moment, in one folder. */
export type Backup = {
  /** Such as `20250127T100000Z-production`. */
  id: string
  environment: string
  state: 'running' | 'ok' | 'failed' | 'verified' | 'corrupt' | 'deleted'
  startedAt: string
  endedAt: string | null
  folder: string
  sizeBytes: number
  /** Newest applied migration of `backend`. */
  schemaNumber: number
  message: string
}
