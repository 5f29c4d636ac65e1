import { Problem } from '@dam/contract'
import { sql, type Sql, type Transaction } from '@dam/platform/database'
import { recordAudit, recordEvents } from '../events/record.ts'
import { indexAsset } from '../search/index-asset.ts'
import { ensureTags } from '../tags/tag-store.ts'
import { allowsEdit } from './asset-detail.ts'

export type AssetEdit = {
  label?: string | undefined
  description?: string | undefined
  tags?: readonly string[] | undefined
}

type Edited = { label: string; description: string; tags: string[]; trashed: boolean }

/** The same answer for an asset that does not exist and one the caller may not see. */
export const assetNotFound = (): Problem =>
  new Problem('asset-not-found', 'There is no such asset, or you may not see it.')

/**
 * Changes what people edit, with audit, event and search document. An edit that changes nothing leaves no trace. `conflict` makes the
 * problem for an `If-Match` that does not hold any more.
 */
export async function editAsset(
  tx: Transaction,
  input: {
    id: number
    edit: AssetEdit
    ifMatch: string | undefined
    visible: Sql
    actorId: number
    conflict: () => Promise<Problem>
  },
): Promise<void> {
  const current = await tx.row<Edited>(sql`
    select a.label, a.description, a.tags, a.trashed_at is not null as trashed from asset a where a.id = ${input.id} and ${input.visible} for update`)
  if (!current) throw assetNotFound()
  if (current.trashed)
    throw new Problem('asset-not-found', 'This asset is in the trash. Restore it before you edit it.')
  if (!allowsEdit(input.ifMatch, current)) throw await input.conflict()

  const label = input.edit.label === undefined ? current.label : cleanLabel(input.edit.label)
  const description = input.edit.description === undefined ? current.description : cleanText(input.edit.description)
  const tags = input.edit.tags === undefined ? current.tags : await ensureTags(tx, input.edit.tags)
  const before: Record<string, unknown> = {}
  const after: Record<string, unknown> = {}
  const note = (name: keyof AssetEdit, from: unknown, to: unknown): void => {
    if (JSON.stringify(from) === JSON.stringify(to)) return
    before[name] = from
    after[name] = to
  }
  note('label', current.label, label)
  note('description', current.description, description)
  note('tags', current.tags, tags)
  const fields = Object.keys(after)
  // Writing what a file said already still makes it a person's word, which a later reading of the file must not replace.
  await tx.run(sql`
    update asset set label = ${label}, description = ${description}, tags = ${tags},
      label_edited = label_edited or ${input.edit.label !== undefined}, description_edited = description_edited or ${input.edit.description !== undefined},
      date_modified = case when ${fields.length > 0} then now() else date_modified end
    where id = ${input.id}`)
  if (fields.length === 0) return
  await indexAsset(tx, [input.id])
  await recordAudit(tx, [
    { actorId: input.actorId, action: 'asset.updated', object: `asset:${input.id}`, detail: { before, after } },
  ])
  await recordEvents(tx, [{ kind: 'asset.updated', assetId: input.id, actorId: input.actorId, data: { fields } }])
}

/** Text without NUL, which PostgreSQL cannot hold, and without the control characters that no person types. */
const cleanText = (text: string): string =>
  text
    .normalize('NFC')
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '')

function cleanLabel(text: string): string {
  const label = cleanText(text).replace(/\s+/g, ' ').trim()
  if (!/[^\p{C}\p{Z}]/u.test(label))
    throw new Problem('invalid-request', 'label: write at least one visible character.', {
      fields: { label: ['Write at least one visible character.'] },
    })
  return label
}
