import { Problem } from '@dam/contract'
import { isKeyOf, orderName, type AssetOrder } from './asset-order.ts'

/** A place between two rows of an ordered list, and the direction to read from there. */
export type Cursor = { key: string; id: number; backward: boolean }

/** Opaque text for links. It carries no rights: it only says where to go on. */
export const cursorText = (order: AssetOrder, cursor: Cursor): string =>
  Buffer.from(JSON.stringify([orderName(order), cursor.key, cursor.id, cursor.backward ? 1 : 0])).toString('base64url')

/** Throws `invalid-cursor` for anything that this list and this ordering did not give. */
export function readCursor(order: AssetOrder, text: string): Cursor {
  const parts = parse(text)
  if (!Array.isArray(parts) || parts.length !== 4) throw invalid()
  const [name, key, id, backward] = parts as unknown[]
  if (name !== orderName(order)) {
    throw new Problem(
      'invalid-cursor',
      'This cursor belongs to another ordering. Start again without a cursor, or keep the ordering it came with.',
    )
  }
  if (typeof key !== 'string' || !isKeyOf(order, key)) throw invalid()
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) throw invalid()
  if (backward !== 0 && backward !== 1) throw invalid()
  return { key, id, backward: backward === 1 }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

const invalid = (): Problem =>
  new Problem('invalid-cursor', 'This cursor is not valid. Start again with an empty cursor and follow `next`.')
