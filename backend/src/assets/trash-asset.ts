import { recordAudit, recordEvents } from '../events/record.ts'
import { sql, type Sql, type Transaction } from '@dam/platform/database'
import { assetNotFound } from './edit-asset.ts'

/** Moves one asset to the trash. What is there already stays as it was. */
export async function trashAsset(tx: Transaction, input: { id: number; visible: Sql; actorId: number }): Promise<void> {
  const asset = await tx.row<{ trashed: boolean }>(sql`
    select a.trashed_at is not null as trashed from asset a where a.id = ${input.id} and ${input.visible} for update`)
  if (!asset) throw assetNotFound()
  if (asset.trashed) return
  await tx.run(sql`update asset set trashed_at = now(), trashed_by = ${input.actorId} where id = ${input.id}`)
  await recordAudit(tx, [{ actorId: input.actorId, action: 'asset.trashed', object: `asset:${input.id}` }])
  await recordEvents(tx, [{ kind: 'asset.trashed', assetId: input.id, actorId: input.actorId }])
}
