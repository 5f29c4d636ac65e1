import type { AssetSummary, User } from '@dam/contract/types'
import { plural, t } from '@lingui/core/macro'
import {
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
} from 'react'
import { runnable, type Action, type ActionContext } from '../../lib/action.ts'
import { formatCount, formatMonth } from '../../lib/format.ts'
import { arrivals, leftAt, presence } from '../../lib/gallery-presence.ts'
import { assetHref, firstPageSize, toFilters, type GalleryQuery } from '../../lib/gallery-query.ts'
import { isPlainClick, navigate } from '../../lib/navigation.ts'
import { preferences } from '../../lib/preferences.ts'
import { shortcutOf, useShortcut } from '../../lib/shortcuts.ts'
import { useElementSize } from '../../lib/use-element-size.ts'
import { useStore } from '../../lib/use-store.ts'
import { Button } from '../../ui/button.tsx'
import { GalleryGrid } from './gallery-grid.tsx'
import { columnsHeight, GalleryList as ListView } from './gallery-list.tsx'
import { cardAspect, justify, neighbourInRow, rowOf, type Layout } from './justified-layout.ts'
import { sectionHeadings } from './sections.ts'
import {
  extendTo,
  isSelected,
  moveRangeEnd,
  nothing,
  selectedCount,
  selectOnly,
  toggle,
  without,
  type Selection,
} from './selection.ts'
import { SelectionBar } from './selection-bar.tsx'
import { useWindow } from './use-window.ts'
import type { GalleryList } from './use-gallery-list.ts'
import styles from './gallery.module.css'

const ActionMenu = lazy(() => import('../../ui/action-menu.tsx'))

export type GalleryViewProps = {
  list: GalleryList
  query: GalleryQuery
  view: 'grid' | 'list'
  user: User
  actions: readonly Action[]
  header: ReactNode
  empty: ReactNode
  onRefresh: () => void
  onContext: (context: ActionContext | null) => void
}

const gap = 4
const listRowHeight = 56

export function GalleryView({
  list,
  query,
  view,
  user,
  actions,
  header,
  empty,
  onRefresh,
  onContext,
}: GalleryViewProps): ReactNode {
  const { assets, key } = list
  const scroller = useRef<HTMLDivElement>(null)
  const grid = useRef<HTMLDivElement>(null)
  const { width: outerWidth, height: viewHeight } = useElementSize(scroller)
  const rowHeight = useStore(preferences, (value) => value.rowHeight)
  const inset = outerWidth < 640 ? 8 : 20
  const width = Math.max(0, outerWidth - 2 * inset)
  const ids = useMemo(() => assets.map((asset) => asset.id), [assets])
  const byId = useMemo(() => new Map(assets.map((asset) => [asset.id, asset])), [assets])

  const [selection, setSelection] = useState<Selection>(nothing)
  const [focusedId, setFocusedId] = useState<number | null>(() => leftAt.get(key)?.focusedId ?? null)
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null)
  const arrived = useStore(arrivals)

  // A card keeps its shape while it can be seen; sizes that become known change only what is further down.
  const shapes = useRef({ key, aspects: new Map<number, number>(), lastVisible: 0 })
  if (shapes.current.key !== key) shapes.current = { key, aspects: new Map(), lastVisible: 0 }
  const layout: Layout = useMemo(() => {
    if (width === 0) return { rows: [], height: 0 }
    if (view === 'list') {
      return {
        rows: assets.map((_, index) => ({
          kind: 'pictures',
          top: columnsHeight + index * listRowHeight,
          height: listRowHeight,
          start: index,
          end: index + 1,
          widths: [width],
        })),
        height: columnsHeight + assets.length * listRowHeight,
      }
    }
    const { aspects, lastVisible } = shapes.current
    const shape = assets.map((asset, index) => {
      const known = aspects.get(asset.id)
      if (known !== undefined && index <= lastVisible) return known
      const aspect = cardAspect(asset.width, asset.height)
      aspects.set(asset.id, aspect)
      return aspect
    })
    const targetHeight = width < 600 ? Math.min(rowHeight, Math.max(96, width / 2.4)) : rowHeight
    return justify(
      shape,
      { width, targetHeight, gap, headingHeight: 52 },
      sectionHeadings(assets, query.sort, formatMonth),
    )
  }, [assets, width, rowHeight, view, query.sort])

  const range = useWindow(scroller, grid, layout.rows, viewHeight)
  const visible = layout.rows.slice(range.first, range.end)
  const lastVisibleIndex = visible.reduce(
    (last, row) => (row.kind === 'pictures' ? Math.max(last, row.end - 1) : last),
    0,
  )
  shapes.current.lastVisible = lastVisibleIndex

  // Fetch ahead: about three screens before the end is reached.
  const remaining = assets.length - lastVisibleIndex
  const wantsMore = list.hasMore && !list.isFetchingMore && assets.length > 0 && remaining < 150
  useEffect(() => {
    if (!wantsMore) return
    // The pictures of the first screen come before the second page.
    const timer = setTimeout(list.loadMore, assets.length <= firstPageSize ? 500 : 0)
    return () => clearTimeout(timer)
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- one timer per page: the list is a new object at every render
  }, [wantsMore, assets.length])

  // A card that is scrolled to is rendered a frame or two later.
  const focusWhenRendered = (id: number, framesLeft = 20): void => {
    requestAnimationFrame(() => {
      const card = grid.current?.querySelector<HTMLElement>(`[data-asset="${id}"]`)
      if (card) card.focus({ preventScroll: true })
      else if (framesLeft > 0) focusWhenRendered(id, framesLeft - 1)
    })
  }

  // Scroll position and focus survive a visit to an asset.
  const restored = useRef<string | null>(null)
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element || width === 0 || assets.length === 0 || restored.current === key) return
    restored.current = key
    const left = leftAt.get(key)
    element.scrollTop = left?.scrollTop ?? 0
    if (left?.focusedId) focusWhenRendered(left.focusedId)
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- position is restored once for each list
  }, [key, width, assets.length])
  const focusedRef = useRef(focusedId)
  focusedRef.current = focusedId
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    let last = 0
    const remember = (): void => {
      last = element.scrollTop
      if (restored.current === key) leftAt.set(key, { scrollTop: last, focusedId: focusedRef.current })
      const atTop = last < 240
      const now = presence.get()
      if (now && now.atTop !== atTop) presence.set({ ...now, atTop })
    }
    presence.set({ query, atTop: element.scrollTop < 240 })
    arrivals.set({ count: 0, more: false })
    element.addEventListener('scroll', remember, { passive: true })
    return () => {
      element.removeEventListener('scroll', remember)
      presence.set(null)
      if (restored.current === key)
        leftAt.set(key, { scrollTop: last || element.scrollTop, focusedId: focusedRef.current })
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the key stands for the query
  }, [key])
  useEffect(() => setSelection(nothing), [key])
  useEffect(() => {
    if (focusedId !== null && restored.current === key)
      leftAt.set(key, { scrollTop: scroller.current?.scrollTop ?? 0, focusedId })
  }, [focusedId, key])

  // What left the list leaves the selection.
  useEffect(() => {
    setSelection((current) =>
      current.kind === 'ids'
        ? without(current, new Set([...current.ids].filter((id) => !byId.has(id))))
        : list.count === 0
          ? nothing
          : current,
    )
  }, [byId, list.count])

  const count = selectedCount(selection, list.count)
  const contextOf = useCallback(
    (chosen: Selection): ActionContext => ({
      target:
        chosen.kind === 'all'
          ? { filter: { ...(query.q ? { q: query.q } : {}), filters: toFilters(query) }, count: list.count }
          : { ids: [...chosen.ids], count: chosen.ids.size },
      assets: chosen.kind === 'all' ? assets : [...chosen.ids].flatMap((id) => byId.get(id) ?? []),
      user,
      query,
    }),
    [assets, byId, list.count, query, user],
  )
  const context = useMemo(() => (count > 0 ? contextOf(selection) : null), [contextOf, selection, count])
  useEffect(() => {
    onContext(context)
    return () => onContext(null)
  }, [context, onContext])

  /** The selection, or where there is none the card that has the focus. */
  const focusedContext = (): ActionContext | null =>
    context ?? (focusedId !== null && byId.has(focusedId) ? contextOf(selectOnly(focusedId)) : null)
  const shortcuts = useMemo(() => actions.flatMap((action) => action.shortcut ?? []), [actions])
  useShortcut(shortcuts, (event) => {
    const now = focusedContext()
    const action = runnable(actions, now).find((candidate) => candidate.shortcut === shortcutOf(event))
    if (!action || !now) return false
    void action.run(now)
    return true
  })
  useShortcut('mod+a', () => {
    if (assets.length > 0) setSelection({ kind: 'all' })
  })
  useShortcut('escape', () => {
    if (count === 0) return false
    setSelection(nothing)
    return true
  })

  const scrollToIndex = (index: number): void => {
    const element = scroller.current
    const row = layout.rows[rowOf(layout.rows, index)]
    if (!element || !row) return
    const base = grid.current?.offsetTop ?? 0
    const top = base + row.top
    const headroom = 72
    if (top < element.scrollTop + headroom) element.scrollTop = Math.max(0, row.start === 0 ? 0 : top - headroom)
    else if (top + row.height > element.scrollTop + element.clientHeight - 16)
      element.scrollTop = top + row.height - element.clientHeight + 16
  }
  const moveFocus = (index: number): number | null => {
    const asset = assets[Math.max(0, Math.min(assets.length - 1, index))]
    if (!asset) return null
    setFocusedId(asset.id)
    scrollToIndex(assets.indexOf(asset))
    focusWhenRendered(asset.id)
    return asset.id
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const current = focusedId === null ? -1 : ids.indexOf(focusedId)
    if (current === -1 || event.altKey) return
    const rtl = document.documentElement.dir === 'rtl' ? -1 : 1
    const page = Math.max(1, Math.floor((viewHeight || 600) / rowHeight) - 1)
    const vertical = (direction: -1 | 1, times: number): number => {
      let index = current
      for (let step = 0; step < times; step += 1) index = neighbourInRow(layout.rows, index, direction, gap) ?? index
      return index
    }
    const moves: Record<string, () => number> = {
      ArrowLeft: () => current - rtl,
      ArrowRight: () => current + rtl,
      ArrowUp: () => vertical(-1, 1),
      ArrowDown: () => vertical(1, 1),
      PageUp: () => vertical(-1, page),
      PageDown: () => vertical(1, page),
      Home: () => 0,
      End: () => assets.length - 1,
    }
    const move = moves[event.key]
    if (move && !(event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      const next = moveFocus(move())
      if (event.shiftKey && next !== null && focusedId !== null)
        setSelection((now) =>
          moveRangeEnd(now.kind === 'ids' && now.anchor === null ? selectOnly(focusedId) : now, focusedId, next, ids),
        )
    } else if (event.key === ' ' && focusedId !== null) {
      event.preventDefault()
      if (event.ctrlKey || event.metaKey || count > 0) setSelection((now) => toggle(now, focusedId, ids))
      else navigate(assetHref(focusedId, query))
    } else if (event.key.toLowerCase() === 'x' && !event.ctrlKey && !event.metaKey && focusedId !== null) {
      event.preventDefault()
      setSelection((now) => toggle(now, focusedId, ids))
    } else if (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')) {
      event.preventDefault()
      const box = (event.target as HTMLElement).getBoundingClientRect()
      if (focusedId !== null && !isSelected(selection, focusedId)) setSelection(selectOnly(focusedId))
      setMenu({ x: box.left + box.width / 2, y: box.top + box.height / 2 })
    }
  }

  const onCardClick = useCallback(
    (event: MouseEvent, id: number): void => {
      setFocusedId(id)
      if (event.shiftKey) {
        event.preventDefault()
        setSelection((now) => extendTo(now, id, ids))
      } else if (event.ctrlKey || event.metaKey) {
        event.preventDefault()
        setSelection((now) => toggle(now, id, ids))
      } else if (isPlainClick(event)) {
        event.preventDefault()
        setSelection((now) => {
          if (selectedCount(now, 1) > 0) return toggle(now, id, ids)
          queueMicrotask(() => navigate(assetHref(id, query)))
          return now
        })
      }
    },
    [ids, query],
  )
  const onToggle = useCallback(
    (event: MouseEvent, id: number) => {
      setFocusedId(id)
      setSelection((now) => (event.shiftKey ? extendTo(now, id, ids) : toggle(now, id, ids)))
    },
    [ids],
  )
  const onCardMenu = useCallback((event: MouseEvent, id: number) => {
    event.preventDefault()
    setFocusedId(id)
    setSelection((now) => (isSelected(now, id) ? now : selectOnly(id)))
    setMenu({ x: event.clientX, y: event.clientY })
  }, [])

  const menuActions = menu ? runnable(actions, context) : []
  const tabStop = focusedId !== null && byId.has(focusedId) ? focusedId : (assets[0]?.id ?? null)
  const shared = {
    assets,
    rows: visible,
    query,
    selection,
    tabStop,
    onCardClick,
    onToggle,
    onCardMenu,
    onFocus: setFocusedId,
    draggable: user.role !== 'viewer' && !query.trash,
  }
  const isEmpty = !list.isLoading && !list.error && assets.length === 0

  return (
    <div className={styles.frame}>
      <div ref={scroller} className={styles.scroller} data-selecting={count > 0 || undefined} data-gallery="">
        {header}
        {list.error && assets.length === 0 ? (
          <Problem error={list.error} onRetry={list.retry} />
        ) : isEmpty ? (
          empty
        ) : (
          <div
            ref={grid}
            className={styles.grid}
            role="grid"
            aria-label={t`Assets`}
            aria-multiselectable="true"
            aria-rowcount={list.hasMore ? -1 : layout.rows.length}
            aria-busy={list.isLoading}
            style={{ blockSize: list.isLoading ? undefined : layout.height, marginInline: inset }}
            onKeyDown={onKeyDown}
          >
            {list.isLoading ? (
              <Skeleton rowHeight={rowHeight} />
            ) : view === 'list' ? (
              <ListView {...shared} />
            ) : (
              <GalleryGrid {...shared} gap={gap} firstRow={range.first} />
            )}
          </div>
        )}
        {assets.length > 0 && (list.isFetchingMore || list.error) && (
          <div className={styles.tail}>
            {list.error ? (
              <Button look="outline" icon="retry" onClick={list.retry}>{t`Could not load more. Try again`}</Button>
            ) : (
              <span className={styles.spinner} role="status" aria-label={t`Loading more`} />
            )}
          </div>
        )}
      </div>
      {arrived.count > 0 && (
        <button
          type="button"
          className={styles.arrivals}
          onClick={() => {
            scroller.current?.scrollTo({ top: 0 })
            onRefresh()
          }}
        >
          {arrived.more ? t`Many new assets` : plural(arrived.count, { one: '# new asset', other: '# new assets' })}
        </button>
      )}
      {count > 0 && context && (
        <SelectionBar
          context={context}
          isAll={selection.kind === 'all'}
          total={list.count}
          hasMore={selection.kind === 'ids' && count < list.count}
          actions={actions}
          onClear={() => setSelection(nothing)}
          onSelectAll={() => setSelection({ kind: 'all' })}
        />
      )}
      <p className="visually-hidden" role="status">
        {count > 0 ? t`${formatCount(count)} selected` : ''}
      </p>
      {menu && context && (
        <Suspense>
          <ActionMenu at={menu} actions={menuActions} context={context} onClose={() => setMenu(null)} />
        </Suspense>
      )}
    </div>
  )
}

function Problem({ error, onRetry }: { error: Error; onRetry: () => void }): ReactNode {
  return (
    <div className={styles.problem} role="alert">
      <h2>{t`The gallery could not be loaded`}</h2>
      <p>{error.message}</p>
      <Button look="outline" icon="retry" onClick={onRetry}>{t`Try again`}</Button>
    </div>
  )
}

const skeletonWidths = [
  [3, 4, 2.6, 3.4],
  [4, 2.4, 3, 3.2],
  [2.6, 3.6, 3, 4],
  [3.4, 3, 4, 2.4],
]

function Skeleton({ rowHeight }: { rowHeight: number }): ReactNode {
  return (
    <div role="row">
      <div role="gridcell" className={styles.skeleton} aria-label={t`Loading`}>
        {skeletonWidths.map((row, index) => (
          <div key={index} className={styles.skeletonRow} style={{ blockSize: rowHeight }}>
            {row.map((grow, position) => (
              <span key={position} style={{ flexGrow: grow }} />
            ))}
          </div>
        ))}
      </div>
    </div>
  )
}

export type SharedGridProps = {
  assets: AssetSummary[]
  rows: Layout['rows']
  query: GalleryQuery
  selection: Selection
  tabStop: number | null
  draggable: boolean
  onCardClick: (event: MouseEvent, id: number) => void
  onToggle: (event: MouseEvent, id: number) => void
  onCardMenu: (event: MouseEvent, id: number) => void
  onFocus: (id: number) => void
}
