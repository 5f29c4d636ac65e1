import { t } from '@lingui/core/macro'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Suspense, useEffect, type ReactNode } from 'react'
import { matchPath, navigate, useLocation } from '../lib/navigation.ts'
import { useTitle } from '../lib/use-title.ts'
import { Button } from '../ui/button.tsx'
import { Loading } from '../ui/loading.tsx'
import { Notice } from '../ui/notice.tsx'
import { ToastRegion } from '../ui/toast-region.tsx'
import { ConsoleShell } from './console-shell.tsx'
import { SetUpDoor, SignInDoor } from './doors.tsx'
import { ApiError, isAtLeast, sessionOptions } from './lib/api.ts'
import { consoleRoutes } from './routes.ts'

export function Console(): ReactNode {
  return (
    <>
      <Page />
      <ToastRegion />
    </>
  )
}

function Page(): ReactNode {
  const { path } = useLocation()
  const client = useQueryClient()
  const session = useQuery(sessionOptions)

  // Any request that is answered 401 ends the session here too.
  useEffect(() => {
    const end = (error: unknown): void => {
      if (!(error instanceof ApiError) || error.code !== 'not-authenticated') return
      const known = client.getQueryData(sessionOptions.queryKey)
      if (known?.operator) client.setQueryData(sessionOptions.queryKey, { ...known, operator: null })
    }
    const queries = client.getQueryCache().subscribe((event) => {
      if (event.type === 'updated' && event.action.type === 'error') end(event.action.error)
    })
    const mutations = client.getMutationCache().subscribe((event) => {
      if (event.type === 'updated' && event.action.type === 'error') end(event.action.error)
    })
    return () => {
      queries()
      mutations()
    }
  }, [client])

  if (session.isPending) return <Loading />
  if (session.error && !session.data) {
    return (
      <Notice icon="warning" title={t`The ops process does not answer`} message={session.error.message}>
        <Button look="primary" icon="retry" onClick={() => void session.refetch()}>{t`Try again`}</Button>
      </Notice>
    )
  }
  const { operator, setupRequired } = session.data
  if (!operator) return setupRequired || matchPath('/setup', path) ? <SetUpDoor /> : <SignInDoor />

  for (const route of consoleRoutes) {
    const params = matchPath(route.pattern, path)
    if (!params || !isAtLeast(operator, route.access)) continue
    const Component = route.component
    return (
      <ConsoleShell operator={operator}>
        <Suspense fallback={<Loading />}>
          <Component key={path} params={params} />
        </Suspense>
      </ConsoleShell>
    )
  }
  return (
    <ConsoleShell operator={operator}>
      <NotFound />
    </ConsoleShell>
  )
}

function NotFound(): ReactNode {
  useTitle(t`Not found`)
  const { path } = useLocation()
  const isDoor = matchPath('/setup', path) !== null || matchPath('/sign-in', path) !== null
  useEffect(() => {
    if (isDoor) navigate('/', { replace: true })
  }, [isDoor])
  if (isDoor) return null
  return (
    <Notice
      icon="search"
      title={t`There is nothing at this address`}
      message={t`The link may be old, or your role does not show it.`}
    >
      <Button look="primary" onClick={() => navigate('/')}>{t`Go to the overview`}</Button>
    </Notice>
  )
}
