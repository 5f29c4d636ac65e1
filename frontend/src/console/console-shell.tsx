import type { OperatorView } from '@dam/contract/ops-types'
import { i18n } from '@lingui/core'
import { t } from '@lingui/core/macro'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { Link, matchPath, navigate, useLocation } from '../lib/navigation.ts'
import { preferences, setPreference } from '../lib/preferences.ts'
import { useStore } from '../lib/use-store.ts'
import { showToast } from '../lib/toasts.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon, Mark } from '../ui/icon.tsx'
import styles from './console-shell.module.css'
import { api, isAtLeast, sessionOptions } from './lib/api.ts'
import { followChanges, live } from './lib/follow-changes.ts'
import { ShiftBanner } from './parts/shift-banner.tsx'
import { roleName } from './parts/role-name.ts'
import { consoleRoutes } from './routes.ts'

const groups = ['watch', 'ship', 'keep', 'people'] as const

export function ConsoleShell({ operator, children }: { operator: OperatorView; children: ReactNode }): ReactNode {
  const { path } = useLocation()
  const client = useQueryClient()
  const [drawer, setDrawer] = useState(false)
  const theme = useStore(preferences, (value) => value.theme)
  const locale = useStore(preferences, (value) => value.locale)
  const connection = useStore(live)

  useEffect(() => followChanges(client), [client])
  useEffect(() => setDrawer(false), [path])

  const signOut = async (): Promise<void> => {
    try {
      await api('signOutOperator', {})
    } catch (error) {
      showToast({ tone: 'danger', message: t`Could not sign out`, detail: String(error) })
      return
    }
    const known = client.getQueryData(sessionOptions.queryKey)
    client.clear()
    navigate('/', { replace: true })
    if (known) client.setQueryData(sessionOptions.queryKey, { ...known, operator: null })
  }
  const isDark = theme === 'dark'
  const shown = consoleRoutes.filter((route) => route.nav && isAtLeast(operator, route.access))

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content">{t`Skip to the content`}</a>
      <nav className={styles.sidebar} data-open={drawer || undefined} aria-label={t`Main`}>
        <div className={styles.brand}>
          <Link to="/" className={styles.brandLink}>
            <Mark size={26} />
            <span>
              DAM <small>{t`operations`}</small>
            </span>
            <span className="visually-hidden">{t`to the overview`}</span>
          </Link>
          <IconButton
            icon="close"
            label={t`Close the menu`}
            className={styles.drawerClose}
            onClick={() => setDrawer(false)}
          />
        </div>
        {groups.map((group) => {
          const routes = shown.filter((route) => route.nav?.group === group)
          return routes.length === 0 ? null : (
            <ul key={group} className={styles.places}>
              {routes.map(({ pattern, nav }) => (
                <li key={pattern}>
                  <Link
                    to={pattern}
                    className={styles.place}
                    aria-current={isWithin(pattern, path) ? 'page' : undefined}
                  >
                    <Icon name={nav!.icon} size={19} />
                    <span>{i18n._(nav!.label)}</span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        })}
        <div className={styles.foot}>
          <Link to="/account" className={styles.person} aria-current={isWithin('/account', path) ? 'page' : undefined}>
            <bdi>{operator.displayName || operator.username}</bdi>
            <small>{roleName(operator.role)}</small>
            <span className="visually-hidden">{t`My account`}</span>
          </Link>
          <span className={styles.footTools}>
            <button
              type="button"
              className={styles.language}
              lang={locale === 'ru' ? 'en' : 'ru'}
              onClick={() => setPreference('locale', locale === 'ru' ? 'en' : 'ru')}
            >
              {locale === 'ru' ? 'English' : 'Русский'}
            </button>
            <IconButton
              icon="display"
              tip="above"
              size={18}
              label={isDark ? t`Light colours` : t`Dark colours`}
              onClick={() => setPreference('theme', isDark ? 'light' : 'dark')}
            />
            <IconButton icon="sign-out" tip="above" size={18} label={t`Sign out`} onClick={() => void signOut()} />
          </span>
        </div>
      </nav>
      {drawer && (
        <button
          type="button"
          className={styles.scrim}
          aria-label={t`Close the menu`}
          tabIndex={-1}
          onClick={() => setDrawer(false)}
        />
      )}
      <header className={styles.bar}>
        <IconButton icon="menu" label={t`Menu`} tip="start" aria-expanded={drawer} onClick={() => setDrawer(true)} />
        <span className={styles.barTitle}>
          DAM <small>{t`operations`}</small>
        </span>
      </header>
      <main id="content" className={styles.main} tabIndex={0}>
        <div role="status" className={styles.away}>
          {connection === 'away'
            ? t`The ops process does not answer. What you see may be old; trying again by itself.`
            : ''}
        </div>
        <ShiftBanner />
        {children}
      </main>
    </div>
  )
}

const isWithin = (pattern: string, path: string): boolean =>
  pattern === '/' ? matchPath('/', path) !== null : path === pattern || path.startsWith(`${pattern}/`)
