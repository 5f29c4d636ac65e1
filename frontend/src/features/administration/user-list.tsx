import type { Role, User } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { api, ApiError } from '../../lib/api.ts'
import { formatAgo } from '../../lib/format.ts'
import { showToast } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/panel.tsx'
import styles from './user-list.module.css'

export const roleNames = (): Record<Role, string> => ({
  viewer: t`Viewer`,
  editor: t`Editor`,
  administrator: t`Administrator`,
})
const roleHints = (): Record<Role, string> => ({
  viewer: t`looks and downloads`,
  editor: t`also uploads, edits and deletes`,
  administrator: t`also manages people and empties the trash`,
})
const roleOrder: Role[] = ['viewer', 'editor', 'administrator']

export function UserList({ me }: { me: User }): ReactNode {
  const client = useQueryClient()
  const [adding, setAdding] = useState(false)
  const users = useInfiniteQuery({
    queryKey: ['users'],
    queryFn: async ({ pageParam, signal }) =>
      (await api('listUsers', { query: { page: pageParam, page_size: 100 } }, { signal })).data,
    initialPageParam: 1,
    getNextPageParam: (page, _pages, number) => (page.next === null ? undefined : number + 1),
  })
  const update = useMutation({
    mutationFn: ({ id, change }: { id: number; change: { role?: Role; active?: boolean } }) =>
      api('updateUser', { params: { id }, body: change }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['users'] }),
    onError: (error) => showToast({ tone: 'danger', message: t`The account was not changed`, detail: error.message }),
  })
  const now = Date.now()
  const names = roleNames()
  return (
    <Panel
      title={t`Accounts`}
      tools={<Button look="primary" icon="add" onClick={() => setAdding(true)}>{t`Add user`}</Button>}
    >
      {users.error && <p role="alert">{users.error.message}</p>}
      <ul className={styles.users} aria-busy={users.isPending}>
        {users.data?.pages
          .flatMap((page) => page.results)
          .map((user) => (
            <li key={user.id} data-inactive={!user.active || undefined}>
              <span className={styles.face} aria-hidden="true">
                {Array.from(user.display_name || user.username)[0]?.toUpperCase()}
              </span>
              <span className={styles.who}>
                <bdi>{user.display_name || user.username}</bdi>
                <span className={styles.when}>
                  {user.display_name && <bdi>{user.username} · </bdi>}
                  {!user.active
                    ? t`Deactivated`
                    : user.last_seen_at
                      ? t`Seen ${formatAgo(user.last_seen_at, now)}`
                      : t`Never signed in`}
                </span>
              </span>
              <select
                className={styles.role}
                aria-label={t`Role of ${user.username}`}
                value={user.role}
                disabled={user.id === me.id || !user.active || update.isPending}
                onChange={(event) => update.mutate({ id: user.id, change: { role: event.target.value as Role } })}
              >
                {roleOrder.map((role) => (
                  <option key={role} value={role}>
                    {names[role]}
                  </option>
                ))}
              </select>
              <Button
                look="outline"
                disabled={user.id === me.id || update.isPending}
                onClick={() => update.mutate({ id: user.id, change: { active: !user.active } })}
              >
                {user.active ? t`Deactivate` : t`Activate`}
              </Button>
            </li>
          ))}
      </ul>
      {users.hasNextPage && <Button onClick={() => void users.fetchNextPage()}>{t`Show more`}</Button>}
      {adding && <AddUser onClose={() => setAdding(false)} />}
    </Panel>
  )
}

function AddUser({ onClose }: { onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [username, setUsername] = useState('')
  const [displayName, setDisplayName] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>('editor')
  const add = useMutation({
    mutationFn: async () =>
      (
        await api('createUser', {
          body: { username: username.trim(), display_name: displayName.trim(), password, role },
        })
      ).data,
    onSuccess: async (user) => {
      await client.invalidateQueries({ queryKey: ['users'] })
      showToast({ tone: 'success', message: t`Added ${user.username}` })
      onClose()
    },
  })
  const problem = add.error instanceof ApiError ? add.error : null
  const names = roleNames()
  const hints = roleHints()
  return (
    <Dialog title={t`Add user`} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (username.trim() && password.length >= 10) add.mutate()
        }}
      >
        <Field
          label={t`User name`}
          value={username}
          onChange={setUsername}
          autoComplete="off"
          autoFocus
          required
          error={problem?.fields['username']?.[0]}
        />
        <Field
          label={t`Full name`}
          value={displayName}
          onChange={setDisplayName}
          autoComplete="off"
          error={problem?.fields['display_name']?.[0]}
        />
        <Field
          label={t`First password`}
          hint={t`At least 10 characters. Ask them to change it in Settings.`}
          type="password"
          autoComplete="new-password"
          minLength={10}
          value={password}
          onChange={setPassword}
          required
          error={problem?.fields['password']?.[0]}
        />
        <fieldset className={styles.roles}>
          <legend>{t`Role`}</legend>
          {roleOrder.map((option) => (
            <label key={option}>
              <input type="radio" name="role" checked={role === option} onChange={() => setRole(option)} />
              <span>
                {names[option]} <span className={styles.when}>{hints[option]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <DialogActions error={add.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={add.isPending}>{t`Add user`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
