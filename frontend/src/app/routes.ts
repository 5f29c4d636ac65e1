import { lazy, type ComponentType } from 'react'
import { GalleryRoute } from './routes/gallery-route.tsx'

export type RouteProps = { params: Record<string, string> }
type RouteDefinition = {
  pattern: string
  component: ComponentType<RouteProps>
  access: 'public' | 'viewer' | 'editor' | 'administrator'
  bare?: boolean
}

const Settings = lazy(() => import('./routes/settings-route.tsx'))
const Users = lazy(() => import('./routes/users-route.tsx'))
const Health = lazy(() => import('./routes/health-route.tsx'))

/** Every page. Those outside the first grid are chunks of their own. */
export const pages: readonly RouteDefinition[] = [
  { pattern: '/dam/gallery', component: GalleryRoute, access: 'viewer' },
  { pattern: '/collections/:id', component: GalleryRoute, access: 'viewer' },
  { pattern: '/dam/trash', component: lazy(() => import('./routes/trash-route.tsx')), access: 'editor' },
  {
    pattern: '/dam/assets/:id',
    component: lazy(() => import('./routes/asset-route.tsx')),
    access: 'viewer',
    bare: true,
  },
  { pattern: '/settings', component: Settings, access: 'viewer' },
  { pattern: '/settings/:section', component: Settings, access: 'viewer' },
  { pattern: '/admin', component: Users, access: 'administrator' },
  { pattern: '/admin/users', component: Users, access: 'administrator' },
  { pattern: '/admin/health', component: Health, access: 'administrator' },
]
