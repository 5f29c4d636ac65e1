import { plural, t } from '@lingui/core/macro'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import type { SearchResult } from '@dam/contract/types'
import { assetTypeNames, statusName } from '../../lib/asset-words.ts'
import { formatDate, formatMonth } from '../../lib/format.ts'
import { countFilters, type GalleryQuery, type SortField } from '../../lib/gallery-query.ts'
import { preferences, setPreference } from '../../lib/preferences.ts'
import { useStore } from '../../lib/use-store.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { sortNames, type FilterKind } from './filter-kinds.ts'
import styles from './gallery-toolbar.module.css'

const FilterPopover = lazy(() => import('./filter-popover.tsx'))

type GalleryToolbarProps = {
  query: GalleryQuery
  view: 'grid' | 'list'
  facets: SearchResult['facets'] | undefined
  onQuery: (query: GalleryQuery) => void
  onView: (view: 'grid' | 'list') => void
}

export function dateLabel(date: string): string {
  if (date.includes('..'))
    return date
      .split('..')
      .map((day) => formatDate(`${day}T12:00:00`))
      .join(' – ')
  return date.length === 10 ? formatDate(`${date}T12:00:00`) : formatMonth(date)
}

function summarise(names: string[]): string {
  return names.length <= 2 ? names.join(', ') : `${names[0]} +${names.length - 1}`
}

export function GalleryToolbar({ query, view, facets, onQuery, onView }: GalleryToolbarProps): ReactNode {
  const [open, setOpen] = useState<{ kind: FilterKind; anchor: HTMLElement } | null>(null)
  const rowHeight = useStore(preferences, (value) => value.rowHeight)
  const names = assetTypeNames()
  const field = query.sort.replace(/^-/, '') as SortField | ''
  const filters: { kind: FilterKind; label: string; value: string; clear: Partial<GalleryQuery> }[] = [
    { kind: 'type', label: t`Type`, value: summarise(query.type.map((type) => names[type])), clear: { type: [] } },
    { kind: 'date', label: t`Date`, value: query.date ? dateLabel(query.date) : '', clear: { date: '' } },
    { kind: 'tags', label: t`Tags`, value: summarise(query.tags), clear: { tags: [] } },
    { kind: 'status', label: t`Status`, value: summarise(query.status.map(statusName)), clear: { status: [] } },
  ]
  const toggle = (kind: FilterKind, anchor: HTMLElement): void =>
    setOpen((now) => (now?.kind === kind ? null : { kind, anchor }))
  const active = countFilters(query)
  const order = field
    ? sortNames()[field]
    : query.trash
      ? t`Date deleted`
      : query.q
        ? t`Relevance`
        : sortNames().date_added
  return (
    <div className={styles.toolbar}>
      <div className={styles.filters} role="group" aria-label={t`Filters`}>
        {query.q && (
          <span className={styles.chipGroup}>
            <span className={styles.chip} data-active="">
              <Icon name="search" size={15} />
              <bdi className={styles.chipText}>{query.q}</bdi>
            </span>
            <button
              type="button"
              className={styles.chipClear}
              aria-label={t`Clear the search`}
              onClick={() => onQuery({ ...query, q: '' })}
            >
              <Icon name="close" size={14} />
            </button>
          </span>
        )}
        {filters.map(({ kind, label, value, clear }) => {
          const chip = (
            <button
              key={kind}
              type="button"
              className={styles.chip}
              data-active={value ? '' : undefined}
              aria-haspopup="dialog"
              aria-expanded={open?.kind === kind}
              onClick={(event) => toggle(kind, event.currentTarget)}
            >
              <span className={styles.chipText}>{value ? <bdi>{`${label}: ${value}`}</bdi> : label}</span>
              {!value && <Icon name="chevron-down" size={14} />}
            </button>
          )
          return value ? (
            <span key={kind} className={styles.chipGroup}>
              {chip}
              <button
                type="button"
                className={styles.chipClear}
                aria-label={t`Clear filter: ${label}`}
                onClick={() => onQuery({ ...query, ...clear })}
              >
                <Icon name="close" size={14} />
              </button>
            </span>
          ) : (
            chip
          )
        })}
        {active > 1 && (
          <button
            type="button"
            className={styles.clear}
            onClick={() => onQuery({ ...query, type: [], tags: [], date: '', status: [] })}
          >
            {plural(active, { one: 'Clear # filter', other: 'Clear # filters' })}
          </button>
        )}
      </div>
      <div className={styles.tools}>
        <Button
          className={styles.sort}
          aria-haspopup="dialog"
          aria-expanded={open?.kind === 'sort'}
          aria-label={`${t`Order`}: ${order}`}
          onClick={(event) => toggle('sort', event.currentTarget)}
        >
          <Icon name={query.sort && !query.sort.startsWith('-') ? 'arrow-up' : 'arrow-down'} size={16} />
          <span className={styles.sortLabel}>{order}</span>
        </Button>
        {view === 'grid' && (
          <input
            className={styles.density}
            type="range"
            min={112}
            max={352}
            step={16}
            value={rowHeight}
            aria-label={t`Size of the pictures`}
            onChange={(event) => setPreference('rowHeight', Number(event.target.value))}
          />
        )}
        <span className={styles.views} role="group" aria-label={t`View`}>
          <IconButton icon="gallery" label={t`Grid`} aria-pressed={view === 'grid'} onClick={() => onView('grid')} />
          <IconButton
            icon="list"
            label={t`List`}
            tip="end"
            aria-pressed={view === 'list'}
            onClick={() => onView('list')}
          />
        </span>
      </div>
      {open && (
        <Suspense>
          <FilterPopover
            key={open.kind}
            kind={open.kind}
            anchor={open.anchor}
            query={query}
            facets={facets}
            onQuery={onQuery}
            onClose={() => setOpen(null)}
          />
        </Suspense>
      )}
    </div>
  )
}
