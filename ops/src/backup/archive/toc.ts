/** Where `pg_restore` puts an entry: `--section` chooses by it. */
export type Section = 'none' | 'pre-data' | 'data' | 'post-data'

/** One line of an archive's table of contents, in the order in which it is restored. */
export type TocEntry = {
  id: number
  /** PostgreSQL's word for what it is, such as `TABLE` or `TABLE DATA`. */
  kind: string
  tag: string
  schema: string
  section: Section
  create: string
  drop: string
  /** The COPY statement its data belongs to; '' for entries without data. */
  copy: string
  owner: string
  dependencies: number[]
  hasData: boolean
  /** Where its data begins in the file; null when it has none or the writer could not say. */
  offset: number | null
}

export type ArchiveHeader = {
  /** Of the archive format, such as 1.14. */
  major: number
  minor: number
  compression: 'none' | 'zlib' | 'lz4' | 'zstd'
  createdAt: Date
  database: string
  /** PostgreSQL that was dumped, and program that did it. */
  serverVersion: string
  dumpVersion: string
}

export const magic = Buffer.from('PGDMP')
/** The format's number for a file of its own, as `pg_dump -Fc` writes. */
export const customFormat = 1
export const offsetStates = { notSet: 1, set: 2, noData: 3 } as const
export const blockTypes = { data: 1, largeObjects: 3 } as const
export const sections: readonly Section[] = ['none', 'pre-data', 'data', 'post-data']
