import { msg } from '@lingui/core/macro'
import type { MessageDescriptor } from '@lingui/core'
import { lazy, type ComponentType } from 'react'
import type { OperatorRole } from '@dam/contract/ops-types'
import type { IconName } from '../ui/icon.tsx'
import { OverviewPage } from './pages/overview-page.tsx'

export type PageProps = { params: Record<string, string> }

type ConsoleRoute = {
  pattern: string
  component: ComponentType<PageProps>
  access: OperatorRole
  /** Shown in the navigation. */
  nav?: { label: MessageDescriptor; icon: IconName; group: 'watch' | 'ship' | 'keep' | 'people' }
}

/** Every page of the console. A page is one line here; the navigation is made of those with `nav`. */
export const consoleRoutes: readonly ConsoleRoute[] = [
  {
    pattern: '/',
    component: OverviewPage,
    access: 'viewer',
    nav: { label: msg`Overview`, icon: 'health', group: 'watch' },
  },
  {
    pattern: '/releases',
    component: lazy(() => import('./pages/releases-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Releases`, icon: 'archive', group: 'ship' },
  },
  { pattern: '/releases/:digest', component: lazy(() => import('./pages/release-page.tsx')), access: 'viewer' },
]
