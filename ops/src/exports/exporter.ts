import type { Policy } from '../policy/policy.ts'

export type ExportInput = {
  policy: Policy
  /** Of the policy's text; every file carries it. */
  hash: string
  /** The environments that are watched, such as production. */
  environments: readonly string[]
  /** Address of the operations console. */
  consoleUrl: string
  now: Date
}

export type Exported = {
  files: { path: string; text: string; isExecutable?: boolean }[]
  /** What the policy says and the other system cannot do, one sentence each. */
  unexpressed: string[]
}

/** Compiles the policy to what another system reads. Pure: the same input gives the same bytes. */
export type Exporter = {
  /** One line for `./dam export --help`. */
  summary: string
  /** Its files differ from day to day, so that no example of them is kept. */
  dependsOnTime?: boolean
  export(input: ExportInput): Exported
}
