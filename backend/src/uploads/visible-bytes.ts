import { sql, type Transaction } from '@dam/platform/database'
import { visibleAssets, type Principal } from '../people/access.ts'

/** The size of stored bytes that some asset the caller may see has, held until the transaction ends. */
export const findVisibleBytes = (
  tx: Transaction,
  principal: Principal,
  sha256: string,
): Promise<{ sizeBytes: number } | undefined> =>
  tx.row(sql`
    select b.size_bytes as "sizeBytes" from blob b
    where b.sha256 = ${sha256} and exists (select from asset a where a.sha256 = b.sha256 and ${visibleAssets(principal)})
    for key share of b`)
