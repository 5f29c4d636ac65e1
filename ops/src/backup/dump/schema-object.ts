/** Something that a dump creates, named as the catalogs do so that dependencies can be followed. */
export type SchemaObject = {
  /** `<catalog>:<oid>`; made up for what has no row of its own. */
  key: string
  phase: Phase
  /** PostgreSQL's word for it in a table of contents. */
  kind: string
  tag: string
  schema: string
  create: string
  drop: string
}

/** What is made first where nothing depends on anything. Rows come between `comment-before-data` and `constraint`. */
export const phases = [
  'schema',
  'extension',
  'type',
  'sequence',
  'function',
  'table',
  'owned-sequence',
  'check',
  'view',
  'comment-before-data',
  'constraint',
  'index',
  'statistics',
  'foreign-key',
  'trigger',
  'row-security',
  'comment-after-data',
  'refresh',
] as const
export type Phase = (typeof phases)[number]

export const isBeforeData = (phase: Phase): boolean => phases.indexOf(phase) <= phases.indexOf('comment-before-data')
