import type { Environment } from '../environments/environment.ts'
import type { Store } from '../store.ts'

/** Where a diagnosis looks. */
export type DiagnosisPlace = {
  environment: Environment
  store: Store
  /** Of an external or a running built-in database; null: it does not run. */
  connectionString: string | null
  redisUrl: string | null
  /** Folder of app.log. */
  logsDir: string
  /** Marks our requests, so that they are counted apart; null without a front. */
  syntheticSecret: string | null
  /** Address of the CDN; null: there is none. */
  cdnUrl: string | null
  /** How long two looks at counters are apart. */
  gapMs: number
  now: Date
}
