import { t } from '@lingui/core/macro'
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from 'react'
import { assetActions } from '../../features/actions/asset-actions.ts'
import { AssetPage } from '../../features/asset/asset-page.tsx'
import { assetOptions } from '../../features/asset/asset-query.ts'
import { runnable, type ActionContext } from '../../lib/action.ts'
import { isCode } from '../../lib/api.ts'
import { assetListOptions, flattenPages } from '../../lib/asset-lists.ts'
import { formatCount, formatTotal } from '../../lib/format.ts'
import { leftAt } from '../../lib/gallery-presence.ts'
import { assetHref, emptyQuery, formatGalleryQuery, galleryHref, parseGalleryQuery } from '../../lib/gallery-query.ts'
import { currentLocation, navigate, useLocation } from '../../lib/navigation.ts'
import { isAtLeast } from '../../lib/session.ts'
import { shortcutOf, useShortcut } from '../../lib/shortcuts.ts'
import { useTitle } from '../../lib/use-title.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Loading } from '../../ui/loading.tsx'
import { Notice } from '../../ui/notice.tsx'
import { currentContext } from '../current-actions.ts'
import { useUser } from './gallery-route.tsx'
import type { RouteProps } from '../routes.ts'
import styles from './asset-route.module.css'

const ActionMenu = lazy(() => import('../../ui/action-menu.tsx'))

/** Pages of the gallery that are read to find where a directly opened asset stands in it. */
const searchedPages = 5

export default function AssetRoute({ params }: RouteProps): ReactNode {
  const id = Number(params['id'])
  const { search } = useLocation()
  const user = useUser()
  const client = useQueryClient()
  const query = useMemo(() => parseGalleryQuery(search), [search])
  const detail = useQuery({ ...assetOptions(id), enabled: Number.isSafeInteger(id) && id > 0 })
  const list = useInfiniteQuery(assetListOptions(query))
  const assets = useMemo(() => flattenPages(list.data), [list.data])
  const index = assets.findIndex((asset) => asset.id === id)
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null)
  const asset = detail.data?.asset
  useTitle(asset?.label ?? '')

  const pages = list.data?.pages.length ?? 0
  const wantsMore =
    list.hasNextPage &&
    !list.isFetchingNextPage &&
    !list.isError &&
    (index === -1 ? pages < searchedPages : index > assets.length - 12)
  useEffect(() => {
    if (wantsMore) void list.fetchNextPage()
  }, [wantsMore, list])

  const previous = index > 0 ? assets[index - 1] : undefined
  const next = index >= 0 ? assets[index + 1] : undefined
  // Neighbours are at hand before they are asked for: both what is known and what is seen.
  useEffect(() => {
    const around = [next, previous].filter((neighbour) => neighbour !== undefined)
    const timer = setTimeout(() => {
      for (const neighbour of around) {
        void client.prefetchQuery(assetOptions(neighbour.id))
        if (neighbour.preview_url) new Image().src = neighbour.preview_url
      }
    }, 120)
    return () => clearTimeout(timer)
  }, [client, next, previous])

  const go = (target: { id: number } | undefined) =>
    target ? () => navigate(assetHref(target.id, query), { replace: true }) : null
  const back = (): void => {
    const key = `${query.trash ? 'trash' : 'library'}${formatGalleryQuery(query)}`
    leftAt.set(key, { scrollTop: leftAt.get(key)?.scrollTop ?? 0, focusedId: id })
    const cameFromGallery = (history.state as { fromApplication?: boolean } | null)?.fromApplication
    if (cameFromGallery) history.back()
    else navigate(galleryHref(query))
  }

  const context = useMemo(
    (): ActionContext | null =>
      asset
        ? {
            target: { ids: [asset.id], count: 1 },
            assets: [asset],
            user,
            query: { ...query, trash: asset.trashed_at !== null },
          }
        : null,
    [asset, user, query],
  )
  useEffect(() => {
    currentContext.set(context)
    return () => currentContext.set(null)
  }, [context])
  const possible = runnable(assetActions, context)
  const run = async (actionId: string): Promise<void> => {
    const action = possible.find((candidate) => candidate.id === actionId)
    if (!action || !context) return
    // What leaves the list leaves the screen: on to the next, or back.
    const leaves = action.id === 'trash' || action.id === 'restore'
    const onward = go(next) ?? go(previous)
    const at = currentLocation()
    await action.run(context)
    void client.invalidateQueries({ queryKey: ['asset', id] })
    if (leaves && currentLocation().path === at.path) (onward ?? (() => navigate(galleryHref(query))))()
  }
  useShortcut(
    assetActions.flatMap((action) => action.shortcut ?? []),
    (event) => {
      const action = possible.find((candidate) => candidate.shortcut === shortcutOf(event))
      if (!action) return false
      void run(action.id)
      return true
    },
  )

  if (
    isCode(detail.error, 'asset-not-found', 'not-found', 'invalid-request') ||
    !(Number.isSafeInteger(id) && id > 0)
  ) {
    return (
      <Notice
        icon="search"
        title={t`There is no such asset`}
        message={t`It was deleted for good, or it is not for your account.`}
      >
        <Button look="primary" onClick={() => navigate(galleryHref(emptyQuery))}>{t`Go to the gallery`}</Button>
      </Notice>
    )
  }
  if (detail.error) {
    return (
      <Notice icon="warning" title={t`The asset could not be loaded`} message={detail.error.message}>
        <Button look="primary" icon="retry" onClick={() => void detail.refetch()}>{t`Try again`}</Button>
      </Notice>
    )
  }
  if (!detail.data) return <Loading />
  const total = list.data?.pages[0]
  return (
    <>
      <AssetPage
        version={detail.data}
        mayEdit={
          isAtLeast(user, 'editor') &&
          detail.data.asset.access_level !== 'view' &&
          detail.data.asset.trashed_at === null
        }
        position={
          index >= 0 && total
            ? t`${formatCount(index + 1)} of ${formatTotal(total.count, total.count_is_estimate)}`
            : null
        }
        previous={go(previous)}
        next={go(next)}
        onBack={back}
        tagHref={(tag) => galleryHref({ ...emptyQuery, tags: [tag] })}
        tools={
          <>
            {possible
              .filter((action) => action.prominent)
              .map((action) => (
                <IconButton
                  key={action.id}
                  className={action.id === 'download' ? undefined : styles.roomy}
                  icon={action.icon}
                  label={action.label(context!)}
                  onClick={() => void run(action.id)}
                />
              ))}
            <IconButton
              icon="more"
              label={t`More actions`}
              aria-haspopup="menu"
              aria-expanded={menu !== null}
              onClick={(event) => {
                const box = event.currentTarget.getBoundingClientRect()
                setMenu({ x: box.left, y: box.bottom + 4 })
              }}
            />
          </>
        }
      />
      {menu && context && (
        <Suspense>
          <ActionMenu
            at={menu}
            actions={possible.map((action) => ({ ...action, run: () => run(action.id) }))}
            context={context}
            onClose={() => setMenu(null)}
          />
        </Suspense>
      )}
    </>
  )
}
