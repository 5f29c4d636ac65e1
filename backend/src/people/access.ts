import { Problem, type Role } from '@dam/contract'
import { sql, type Sql } from '@dam/platform/database'

/** Who is asking. `sessionId` is the row in `session` that vouches for it. */
export type Principal = { id: number; username: string; displayName: string; role: Role; sessionId: number }

export type Action =
  | 'asset.read'
  | 'asset.create'
  | 'asset.edit'
  | 'asset.trash'
  | 'asset.restore'
  | 'trash.read'
  | 'trash.empty'
  | 'collection.read'
  | 'collection.edit'
  | 'user.manage'
  | 'system.read'

const viewer: readonly Action[] = ['asset.read', 'collection.read']
const editor: readonly Action[] = [
  ...viewer,
  'asset.create',
  'asset.edit',
  'asset.trash',
  'asset.restore',
  'trash.read',
  'collection.edit',
]
const granted: Record<Role, ReadonlySet<Action>> = {
  viewer: new Set(viewer),
  editor: new Set(editor),
  administrator: new Set<Action>([...editor, 'trash.empty', 'user.manage', 'system.read']),
}

const rank: Record<Role, number> = { viewer: 1, editor: 2, administrator: 3 }

/** True where `role` includes everything `least` may do. */
export const isAtLeast = (role: Role, least: Role): boolean => rank[role] >= rank[least]

export const can = (principal: Principal, action: Action): boolean => granted[principal.role].has(action)

export const permissionsOf = (role: Role): Action[] => [...granted[role]]

/** Throws `not-allowed` unless the principal may do it. */
export function demand(principal: Principal, action: Action): void {
  if (!can(principal, action)) {
    throw new Problem(
      'not-allowed',
      `Your role (${principal.role}) does not allow this (${action}). Ask an administrator for a higher role.`,
    )
  }
}

/**
 * The condition on table `asset` (alias `a`) for rows the principal may see. Part of every statement that reads assets for somebody;
 * whoever may not read the trash does not see trashed rows at all. Finer access rules join here.
 */
export function visibleAssets(principal: Principal, scope: 'library' | 'trash' | 'all' = 'library'): Sql {
  if (!can(principal, 'asset.read')) return sql`false`
  if (scope === 'library') return sql`a.trashed_at is null`
  if (!can(principal, 'trash.read')) return scope === 'trash' ? sql`false` : sql`a.trashed_at is null`
  return scope === 'trash' ? sql`a.trashed_at is not null` : sql`true`
}

/** True where `visibleAssets` keeps nothing back from this caller but what the scope itself excludes: stored totals hold for it. */
export const seesAll = (principal: Principal, scope: 'library' | 'trash'): boolean =>
  can(principal, 'asset.read') && (scope === 'library' || can(principal, 'trash.read'))

/** What the caller may do with an asset, as the contract's `access_level`. */
export const accessLevelOf = (principal: Principal): 'view' | 'edit' | 'manage' =>
  principal.role === 'administrator' ? 'manage' : principal.role === 'editor' ? 'edit' : 'view'
