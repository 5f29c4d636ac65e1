import type { User } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { assetActions } from '../../features/actions/asset-actions.ts'
import { useCollection } from '../../features/collections/collection-queries.ts'
import { GalleryToolbar } from '../../features/gallery/gallery-toolbar.tsx'
import { GalleryView } from '../../features/gallery/gallery-view.tsx'
import { useGalleryList } from '../../features/gallery/use-gallery-list.ts'
import { assetListOptions } from '../../lib/asset-lists.ts'
import { formatTotal } from '../../lib/format.ts'
import { arrivals } from '../../lib/gallery-presence.ts'
import {
  countFilters,
  formatGalleryQuery,
  galleryHref,
  parseGalleryQuery,
  type GalleryQuery,
} from '../../lib/gallery-query.ts'
import { navigate, useLocation } from '../../lib/navigation.ts'
import { isAtLeast, sessionOptions } from '../../lib/session.ts'
import { useTitle } from '../../lib/use-title.ts'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { currentContext } from '../current-actions.ts'
import { chooseFiles } from '../upload-gate.ts'
import type { RouteProps } from '../routes.ts'
import styles from './gallery-route.module.css'

export function GalleryRoute({ params }: RouteProps): ReactNode {
  const { search } = useLocation()
  const collection = params['id'] ? Number(params['id']) : undefined
  const query = useMemo(
    () => parseGalleryQuery(search, collection === undefined ? { trash: false } : { collection, trash: false }),
    [search, collection],
  )
  const view = new URLSearchParams(search).get('view') === 'list' ? 'list' : 'grid'
  return (
    <Gallery query={query} view={view} title={collection === undefined ? null : <CollectionTitle id={collection} />} />
  )
}

function hrefWithView(query: GalleryQuery, view: 'grid' | 'list'): string {
  const href = galleryHref(query)
  return view === 'list' ? `${href}${href.includes('?') ? '&' : '?'}view=list` : href
}

export function useUser(): User {
  const { data } = useQuery(sessionOptions)
  if (!data?.user) throw new Error('This page is only rendered for a signed-in user.')
  return data.user
}

export function Gallery({
  query,
  view,
  title,
  extra,
  empty,
}: {
  query: GalleryQuery
  view: 'grid' | 'list'
  title: ReactNode
  extra?: ReactNode
  empty?: ReactNode
}): ReactNode {
  const user = useUser()
  const client = useQueryClient()
  const list = useGalleryList(query)
  const setQuery = (next: GalleryQuery): void =>
    navigate(hrefWithView(next, view), { replace: formatGalleryQuery(next) === formatGalleryQuery(query) })
  const filtered = countFilters(query) > 0 || query.q !== ''
  useTitle(query.q ? t`“${query.q}”` : query.trash ? t`Trash` : query.collection === null ? t`Gallery` : '')
  return (
    <GalleryView
      list={list}
      query={query}
      view={view}
      user={user}
      actions={assetActions}
      onContext={currentContext.set}
      onRefresh={() => {
        arrivals.set({ count: 0, more: false })
        void client.resetQueries({ queryKey: assetListOptions(query).queryKey })
      }}
      header={
        <>
          <div className={styles.head}>
            {title ?? <h1>{query.q ? t`Search results` : t`Gallery`}</h1>}
            <span className={styles.count} role="status">
              {list.isLoading ? '' : formatTotal(list.count, list.countIsEstimate)}
            </span>
            {extra}
          </div>
          <GalleryToolbar
            query={query}
            view={view}
            facets={list.facets}
            onQuery={setQuery}
            onView={(next) => navigate(hrefWithView(query, next), { replace: true })}
          />
        </>
      }
      empty={
        filtered ? (
          <NothingFound query={query} onQuery={setQuery} />
        ) : (
          (empty ?? <EmptyLibrary mayUpload={isAtLeast(user, 'editor')} inCollection={query.collection !== null} />)
        )
      }
    />
  )
}

function CollectionTitle({ id }: { id: number }): ReactNode {
  const collection = useCollection(id)
  const name = collection.data?.name ?? ''
  useTitle(name)
  const parents = collection.data?.path.split('/').slice(0, -1) ?? []
  return (
    <h1>
      {parents.length > 0 && <bdi className={styles.path}>{parents.join(' / ')} / </bdi>}
      <bdi>{collection.error ? t`No such collection` : name || ' '}</bdi>
    </h1>
  )
}

function EmptyLibrary({ mayUpload, inCollection }: { mayUpload: boolean; inCollection: boolean }): ReactNode {
  const { path } = useLocation()
  if (!mayUpload)
    return (
      <Notice
        level={2}
        icon="gallery"
        title={t`Nothing here yet`}
        message={t`As soon as someone adds assets, they appear here.`}
      />
    )
  return (
    <Notice
      level={2}
      icon={inCollection ? 'collection' : 'gallery'}
      title={inCollection ? t`This collection is empty` : t`Drop your files here`}
      message={
        inCollection
          ? t`Drop files here, or add assets to it from the gallery.`
          : t`Pictures, video, documents, whole folders: folders become collections. Interrupted uploads go on where they stopped.`
      }
    >
      <Button look="primary" icon="upload" onClick={() => chooseFiles('files', path)}>{t`Choose files`}</Button>
      <Button look="outline" icon="collection" onClick={() => chooseFiles('folder', path)}>{t`Choose a folder`}</Button>
    </Notice>
  )
}

function NothingFound({ query, onQuery }: { query: GalleryQuery; onQuery: (query: GalleryQuery) => void }): ReactNode {
  const loosen: { label: string; query: GalleryQuery }[] = [
    ...(query.type.length > 0 ? [{ label: t`Any type`, query: { ...query, type: [] } }] : []),
    ...(query.date ? [{ label: t`Any date`, query: { ...query, date: '' } }] : []),
    ...(query.tags.length > 0 ? [{ label: t`Any tags`, query: { ...query, tags: [] } }] : []),
    ...(query.status.length > 0 ? [{ label: t`Any status`, query: { ...query, status: [] } }] : []),
    ...(query.q ? [{ label: t`Without “${query.q}”`, query: { ...query, q: '' } }] : []),
    ...(query.collection === null ? [] : [{ label: t`In the whole library`, query: { ...query, collection: null } }]),
  ]
  return (
    <Notice
      level={2}
      icon="search"
      title={t`Nothing matches`}
      message={
        query.q && countFilters(query) === 0
          ? t`Titles, file names, descriptions, tags and embedded metadata were searched. Try fewer or shorter words.`
          : t`No asset has all of this at once. Loosen one:`
      }
    >
      {loosen.map((choice) => (
        <Button key={choice.label} look="outline" onClick={() => onQuery(choice.query)}>
          <bdi>{choice.label}</bdi>
        </Button>
      ))}
    </Notice>
  )
}
