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
    pattern: '/incidents',
    component: lazy(() => import('./pages/incidents-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Incidents`, icon: 'warning', group: 'watch' },
  },
  {
    pattern: '/signals',
    component: lazy(() => import('./pages/signals-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Signals`, icon: 'signal', group: 'watch' },
  },
  {
    pattern: '/alerts',
    component: lazy(() => import('./pages/alerts-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Alerts`, icon: 'bell', group: 'watch' },
  },
  {
    pattern: '/diagnosis',
    component: lazy(() => import('./pages/diagnosis-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Diagnosis`, icon: 'search', group: 'watch' },
  },
  {
    pattern: '/oncall',
    component: lazy(() => import('./pages/oncall-page.tsx')),
    access: 'viewer',
    nav: { label: msg`On call`, icon: 'calendar', group: 'watch' },
  },
  {
    pattern: '/runbook',
    component: lazy(() => import('./pages/runbook-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Runbook`, icon: 'document', group: 'watch' },
  },
  { pattern: '/incidents/:id', component: lazy(() => import('./pages/incident-page.tsx')), access: 'viewer' },
  {
    pattern: '/releases',
    component: lazy(() => import('./pages/releases-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Releases`, icon: 'archive', group: 'ship' },
  },
  { pattern: '/releases/:digest', component: lazy(() => import('./pages/release-page.tsx')), access: 'viewer' },
  {
    pattern: '/gates',
    component: lazy(() => import('./pages/gates-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Gates`, icon: 'shield', group: 'ship' },
  },
  {
    pattern: '/deployments',
    component: lazy(() => import('./pages/deployments-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Deployments`, icon: 'ship', group: 'ship' },
  },
  {
    pattern: '/verification',
    component: lazy(() => import('./pages/verification-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Verification`, icon: 'check', group: 'ship' },
  },
  { pattern: '/deployments/:id', component: lazy(() => import('./pages/deployment-page.tsx')), access: 'viewer' },
  { pattern: '/deploy', component: lazy(() => import('./pages/deploy-page.tsx')), access: 'operator' },
  {
    pattern: '/backups',
    component: lazy(() => import('./pages/backups-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Backups`, icon: 'database', group: 'keep' },
  },
  {
    pattern: '/drills',
    component: lazy(() => import('./pages/drills-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Restore drills`, icon: 'restore', group: 'keep' },
  },
  {
    pattern: '/maintenance',
    component: lazy(() => import('./pages/maintenance-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Maintenance`, icon: 'calendar', group: 'keep' },
  },
  {
    pattern: '/maintenance/:id',
    component: lazy(() => import('./pages/maintenance-window-page.tsx')),
    access: 'viewer',
  },
  {
    pattern: '/tuning',
    component: lazy(() => import('./pages/tuning-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Tuning`, icon: 'settings', group: 'keep' },
  },
  { pattern: '/account', component: lazy(() => import('./pages/account-page.tsx')), access: 'viewer' },
  {
    pattern: '/audit',
    component: lazy(() => import('./pages/audit-page.tsx')),
    access: 'viewer',
    nav: { label: msg`Audit`, icon: 'list', group: 'people' },
  },
  {
    pattern: '/operators',
    component: lazy(() => import('./pages/operators-page.tsx')),
    access: 'administrator',
    nav: { label: msg`Operators`, icon: 'people', group: 'people' },
  },
]
