import { t } from '@lingui/core/macro'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, type ReactNode } from 'react'
import { isCode } from '../lib/api.ts'
import { rememberSignedIn } from '../lib/early-requests.ts'
import { maintenanceOptions } from '../lib/maintenance.ts'
import { currentLocation, matchPath, navigate, useLocation } from '../lib/navigation.ts'
import { isAtLeast, sessionOptions } from '../lib/session.ts'
import { useTitle } from '../lib/use-title.ts'
import { Button } from '../ui/button.tsx'
import { Loading } from '../ui/loading.tsx'
import { Notice } from '../ui/notice.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { DialogHost } from './dialog-host.tsx'
import { pages } from './routes.ts'
import { Shell } from './shell.tsx'
import { ToastRegion } from '../ui/toast-region.tsx'

const SignIn = lazy(() => import('./routes/sign-in-route.tsx'))
const SetUp = lazy(() => import('./routes/set-up-route.tsx'))

function Redirect({ to }: { to: string }): null {
  useEffect(() => navigate(to, { replace: true }), [to])
  return null
}

/** Only paths of this application, so that a crafted link cannot lead elsewhere after signing in. */
function safeReturn(search: string): string {
  const back = new URLSearchParams(search).get('back') ?? ''
  return /^\/(?![/\\])/.test(back) ? back : '/dam/gallery'
}

export function Application(): ReactNode {
  return (
    <>
      <ConnectionBanner />
      <Suspense fallback={null}>
        <Page />
      </Suspense>
      <ToastRegion />
      <DialogHost />
    </>
  )
}

function Page(): ReactNode {
  const { path, search } = useLocation()
  const client = useQueryClient()
  const session = useQuery(sessionOptions)
  // Known before the first frame, so that its banner moves nothing.
  const maintenance = useQuery(maintenanceOptions)

  // A request that is answered 401 ends the session here too; the page is remembered.
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        if (
          event.type === 'updated' &&
          event.action.type === 'error' &&
          isCode(event.action.error, 'not-authenticated')
        )
          endSession()
      }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- endSession reads only stores
    [client],
  )
  useEffect(
    () =>
      client.getMutationCache().subscribe((event) => {
        if (
          event.type === 'updated' &&
          event.action.type === 'error' &&
          isCode(event.action.error, 'not-authenticated')
        )
          endSession()
      }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- endSession reads only stores
    [client],
  )
  const endSession = (): void => {
    const known = client.getQueryData(sessionOptions.queryKey)
    if (known?.user) client.setQueryData(sessionOptions.queryKey, { ...known, user: null })
  }

  const isSignedIn = session.data ? session.data.user !== null : null
  useEffect(() => {
    if (isSignedIn !== null) rememberSignedIn(isSignedIn)
  }, [isSignedIn])

  if (session.isPending || maintenance.isLoading) return <Loading />
  if (session.error) return <Unreachable message={session.error.message} onRetry={() => void session.refetch()} />
  const { user, setup_required: setUpRequired } = session.data
  if (setUpRequired || (matchPath('/setup', path) && !user)) return <SetUp />
  if (!user) {
    if (!matchPath('/sign-in', path))
      return <Redirect to={`/sign-in?back=${encodeURIComponent(currentLocation().path + currentLocation().search)}`} />
    return <SignIn />
  }
  if (matchPath('/sign-in', path)) return <Redirect to={safeReturn(search)} />
  if (path === '/' || matchPath('/setup', path) || matchPath('/dam', path) || matchPath('/dam/search', path))
    return <Redirect to={`/dam/gallery${matchPath('/dam/search', path) ? search : ''}`} />

  for (const page of pages) {
    const params = matchPath(page.pattern, path)
    if (!params) continue
    if (page.access !== 'public' && !isAtLeast(user, page.access)) break
    const Component = page.component
    return (
      <Shell user={user} bare={page.bare ?? false}>
        <Suspense fallback={<Loading />}>
          <Component params={params} />
        </Suspense>
      </Shell>
    )
  }
  return (
    <Shell user={user} bare={false}>
      <NotFound />
    </Shell>
  )
}

function NotFound(): ReactNode {
  useTitle(t`Not found`)
  return (
    <Notice
      icon="search"
      title={t`There is nothing at this address`}
      message={t`The link may be old, or what it led to was deleted, or is not for your account.`}
    >
      <Button look="primary" onClick={() => navigate('/dam/gallery')}>{t`Go to the gallery`}</Button>
    </Notice>
  )
}

function Unreachable({ message, onRetry }: { message: string; onRetry: () => void }): ReactNode {
  useTitle(t`Not reachable`)
  return (
    <Notice icon="warning" title={t`DAM does not answer`} message={message}>
      <Button look="primary" icon="retry" onClick={onRetry}>{t`Try again`}</Button>
    </Notice>
  )
}
