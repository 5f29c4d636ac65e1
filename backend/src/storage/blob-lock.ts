import { sql, type Transaction } from '@dam/platform/database'

/**
 * Until the transaction ends: whoever keeps an original (gives it another asset) and whoever releases it (takes it off the disk) exclude
 * each other. Take it before looking at the disk.
 */
export async function lockBlob(tx: Transaction, sha256: string, intent: 'keep' | 'release'): Promise<void> {
  const key = `dam blob ${sha256}`
  await tx.run(
    intent === 'keep'
      ? sql`select pg_advisory_xact_lock_shared(hashtextextended(${key}, 0))`
      : sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`,
  )
}
