import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import type { User } from '@dam/contract/types'
import { api, ApiError, messageOf } from '../../lib/api.ts'
import { formatAgo, formatDate } from '../../lib/format.ts'
import { preferences, setPreference, type Preferences, type Theme } from '../../lib/preferences.ts'
import { showToast } from '../../lib/toasts.ts'
import { useStore } from '../../lib/use-store.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/panel.tsx'
import { Segments } from '../../ui/segments.tsx'
import styles from './settings-page.module.css'

export function Appearance(): ReactNode {
  const { theme, locale } = useStore(preferences)
  return (
    <Panel title={t`Appearance`}>
      <div className={styles.row}>
        <span id="theme-label">{t`Colours`}</span>
        <Segments<Theme>
          labelledBy="theme-label"
          value={theme}
          options={[
            ['auto', t`As the system`],
            ['light', t`Light`],
            ['dark', t`Dark`],
          ]}
          onChange={(value) => setPreference('theme', value)}
        />
      </div>
      <div className={styles.row}>
        <span id="language-label">{t`Language`}</span>
        <Segments<Preferences['locale']>
          labelledBy="language-label"
          value={locale}
          options={[
            ['en', 'English'],
            ['ru', 'Русский'],
          ]}
          onChange={(value) => setPreference('locale', value)}
        />
      </div>
    </Panel>
  )
}

export function Profile({ user }: { user: User }): ReactNode {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: () => api('changePassword', { body: { current_password: current, new_password: next } }),
    onSuccess: () => {
      setCurrent('')
      setNext('')
      void client.invalidateQueries({ queryKey: ['tokens'] })
      showToast({ tone: 'success', message: t`Password changed. All other sessions have ended.` })
    },
  })
  const problem = change.error instanceof ApiError ? change.error : null
  const roleNames = { viewer: t`Viewer`, editor: t`Editor`, administrator: t`Administrator` }
  return (
    <Panel title={t`Profile`}>
      <dl className={styles.facts}>
        <div>
          <dt>{t`User name`}</dt>
          <dd>
            <bdi>{user.username}</bdi>
          </dd>
        </div>
        {user.display_name && (
          <div>
            <dt>{t`Name`}</dt>
            <dd>
              <bdi>{user.display_name}</bdi>
            </dd>
          </div>
        )}
        <div>
          <dt>{t`Role`}</dt>
          <dd>{roleNames[user.role]}</dd>
        </div>
        <div>
          <dt>{t`Member since`}</dt>
          <dd>{formatDate(user.date_joined)}</dd>
        </div>
      </dl>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (current && next.length >= 10) change.mutate()
        }}
      >
        <h3>{t`Change password`}</h3>
        <input
          className="visually-hidden"
          autoComplete="username"
          value={user.username}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <Field
          label={t`Current password`}
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
          required
          error={problem?.fields['current_password']?.[0]}
        />
        <Field
          label={t`New password`}
          hint={t`At least 10 characters. All your other sessions end.`}
          type="password"
          autoComplete="new-password"
          minLength={10}
          value={next}
          onChange={setNext}
          required
          error={problem?.fields['new_password']?.[0]}
        />
        <p role="alert" className={styles.error}>
          {change.error?.message}
        </p>
        <Button
          look="primary"
          type="submit"
          disabled={change.isPending || !current || next.length < 10}
        >{t`Change password`}</Button>
      </form>
    </Panel>
  )
}

/** `Chrome on Linux` out of what a browser calls itself. */
export function browserName(userAgent: string): string {
  const browser = /(Edg|OPR|Firefox|HeadlessChrome|Chrome|Version)\/[\d.]+/.exec(
    userAgent.replace(/Chrome\/[\d.]+(?=.*(Edg|OPR)\/)/, ''),
  )?.[1]
  const system = /(Windows|iPhone|iPad|Android|Mac OS X|CrOS|Linux)/.exec(userAgent)?.[1]
  const browsers: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari', HeadlessChrome: 'Chrome' }
  const systems: Record<string, string> = { 'Mac OS X': 'macOS', CrOS: 'ChromeOS' }
  if (!browser) return userAgent.slice(0, 60) || t`Browser`
  const name = browsers[browser] ?? browser
  return system ? t`${name} on ${systems[system] ?? system}` : name
}

export function Sessions(): ReactNode {
  const client = useQueryClient()
  const tokens = useQuery({
    queryKey: ['tokens'],
    queryFn: async ({ signal }) => (await api('listTokens', {}, { signal })).data.results,
  })
  const revoke = useMutation({
    mutationFn: (id: number) => api('revokeToken', { params: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
    onError: (error) => showToast({ tone: 'danger', message: t`Could not revoke it`, detail: messageOf(error) }),
  })
  const now = Date.now()
  return (
    <Panel
      title={t`Sessions and tokens`}
      description={t`Browsers that are signed in to your account, and tokens that programs use. Revoke what you do not know.`}
    >
      {tokens.error && <p role="alert">{tokens.error.message}</p>}
      <ul className={styles.tokens} aria-busy={tokens.isPending}>
        {tokens.data?.map((token) => (
          <li key={token.id}>
            <span className={styles.tokenName}>
              <bdi title={token.label}>
                {token.kind === 'browser' ? browserName(token.label) : token.label || t`API token`}
              </bdi>
              {token.current && <span className={styles.badge}>{t`This browser`}</span>}
              <span className={styles.when}>
                {t`Used ${formatAgo(token.last_used_at, now)}`} · {t`since ${formatDate(token.date_added)}`} ·{' '}
                {t`ends ${formatDate(token.expires_at)}`}
              </span>
            </span>
            {!token.current && (
              <Button look="outline" disabled={revoke.isPending} onClick={() => revoke.mutate(token.id)}>
                {t`Revoke`}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
