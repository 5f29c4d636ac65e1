import { Popover } from '@base-ui/react/popover'
import type { AssetType, SearchResult } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { api } from '../../lib/api.ts'
import { assetTypeNames, statusName, typeIcon } from '../../lib/asset-words.ts'
import { formatCount, formatMonth } from '../../lib/format.ts'
import {
  dateRange,
  defaultOrdering,
  sortFields,
  type GalleryQuery,
  type SortField,
  type Status,
} from '../../lib/gallery-query.ts'
import { useDebounced } from '../../lib/use-debounced.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { sortNames, type FilterKind } from './filter-kinds.ts'
import styles from './filter-popover.module.css'

type FilterPopoverProps = {
  kind: FilterKind
  anchor: HTMLElement
  query: GalleryQuery
  facets: SearchResult['facets'] | undefined
  onQuery: (query: GalleryQuery) => void
  onClose: () => void
}

export default function FilterPopover({
  kind,
  anchor,
  query,
  facets,
  onQuery,
  onClose,
}: FilterPopoverProps): ReactNode {
  const title = { type: t`Type`, date: t`Date taken`, tags: t`Tags`, status: t`Status`, sort: t`Order` }[kind]
  return (
    <Popover.Root
      open
      onOpenChange={(open, details) => {
        // The chip that opened it closes it by its own click.
        if (!open && !(details.reason === 'outside-press' && anchor.contains(details.event.target as Node))) onClose()
      }}
    >
      <Popover.Portal>
        <Popover.Positioner
          className={styles.positioner}
          anchor={anchor}
          side="bottom"
          align={kind === 'sort' ? 'end' : 'start'}
          sideOffset={6}
          collisionPadding={8}
        >
          <Popover.Popup className={styles.popup} finalFocus={() => anchor}>
            <Popover.Title className={styles.title}>{title}</Popover.Title>
            {kind === 'type' && <TypeFilter query={query} facets={facets} onQuery={onQuery} />}
            {kind === 'status' && <StatusFilter query={query} onQuery={onQuery} />}
            {kind === 'tags' && <TagFilter query={query} facets={facets} onQuery={onQuery} />}
            {kind === 'date' && <DateFilter query={query} onQuery={onQuery} />}
            {kind === 'sort' && <SortChoice query={query} onQuery={onQuery} />}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

type PartProps = Pick<FilterPopoverProps, 'query' | 'onQuery'>

function toggled<T>(list: T[], value: T): T[] {
  return list.includes(value) ? list.filter((item) => item !== value) : [...list, value]
}

function Choice({
  kind = 'checkbox',
  checked,
  icon,
  label,
  count,
  onChange,
}: {
  kind?: 'checkbox' | 'radio'
  checked: boolean
  icon?: IconName
  label: ReactNode
  count?: number | undefined
  onChange: () => void
}): ReactNode {
  return (
    <label className={styles.choice}>
      <input className="visually-hidden" type={kind} checked={checked} onChange={onChange} />
      {icon && <Icon name={icon} size={18} />}
      <span className={styles.choiceLabel}>{label}</span>
      {count !== undefined && <span className={styles.count}>{formatCount(count)}</span>}
      <span className={styles.mark}>{checked && <Icon name="check" size={16} />}</span>
    </label>
  )
}

function TypeFilter({ query, facets, onQuery }: PartProps & { facets: FilterPopoverProps['facets'] }): ReactNode {
  const counts = query.type.length === 0 ? facets?.['type'] : undefined
  return (Object.entries(assetTypeNames()) as [AssetType, string][]).map(([type, name]) => (
    <Choice
      key={type}
      icon={typeIcon(type)}
      label={name}
      checked={query.type.includes(type)}
      count={counts ? (counts[type] ?? 0) : undefined}
      onChange={() => onQuery({ ...query, type: toggled(query.type, type) })}
    />
  ))
}

function StatusFilter({ query, onQuery }: PartProps): ReactNode {
  const statuses: Status[] = ['ready', 'processing', 'failed']
  return statuses.map((status) => (
    <Choice
      key={status}
      label={statusName(status)}
      checked={query.status.includes(status)}
      onChange={() => onQuery({ ...query, status: toggled(query.status, status) })}
    />
  ))
}

function TagFilter({ query, facets, onQuery }: PartProps & { facets: FilterPopoverProps['facets'] }): ReactNode {
  const [text, setText] = useState('')
  const wanted = useDebounced(text.trim(), 150)
  const tags = useQuery({
    queryKey: ['tags', wanted],
    queryFn: async ({ signal }) =>
      (await api('listTags', { query: { ...(wanted ? { q: wanted } : {}), page_size: 50 } }, { signal })).data.results,
    placeholderData: keepPreviousData,
  })
  const found = (tags.data ?? []).filter((tag) => !query.tags.includes(tag.name))
  const facet = facets?.['tags']
  return (
    <>
      <input
        className={styles.input}
        type="search"
        autoFocus
        value={text}
        placeholder={t`Find a tag`}
        aria-label={t`Find a tag`}
        onChange={(event) => setText(event.target.value)}
      />
      <div className={styles.scroll}>
        {query.tags.map((name) => (
          <Choice
            key={name}
            label={<bdi>{name}</bdi>}
            checked
            onChange={() => onQuery({ ...query, tags: toggled(query.tags, name) })}
          />
        ))}
        {found.map((tag) => (
          <Choice
            key={tag.id}
            label={<bdi>{tag.name}</bdi>}
            checked={false}
            count={facet?.[tag.name] ?? tag.asset_count}
            onChange={() => onQuery({ ...query, tags: toggled(query.tags, tag.name) })}
          />
        ))}
        {tags.data && found.length === 0 && query.tags.length === 0 && (
          <p className={styles.note}>
            {wanted ? t`No tag contains “${wanted}”.` : t`There are no tags yet. Add them on an asset's page.`}
          </p>
        )}
        {tags.error && <p className={styles.note}>{tags.error.message}</p>}
      </div>
    </>
  )
}

function DateFilter({ query, onQuery }: PartProps): ReactNode {
  const dates = useQuery({
    queryKey: ['dates'],
    queryFn: async ({ signal }) => (await api('listDates', {}, { signal })).data.results,
  })
  const range = dateRange(query.date)
  const [openYear, setOpenYear] = useState<string | null>(query.date.slice(0, 4) || null)
  const years = new Map<string, { count: number; months: { month: string; asset_count: number }[] }>()
  for (const entry of dates.data ?? []) {
    const year = entry.month.slice(0, 4)
    const known = years.get(year) ?? { count: 0, months: [] }
    years.set(year, { count: known.count + entry.asset_count, months: [...known.months, entry] })
  }
  const setRange = (from: string, to: string): void => {
    if (from || to) onQuery({ ...query, date: `${from || '0001-01-01'}..${to || '9999-12-31'}` })
    else onQuery({ ...query, date: '' })
  }
  return (
    <>
      <div className={styles.range}>
        <label>
          {t`From`}
          <input
            className={styles.input}
            type="date"
            value={range && range.from !== '0001-01-01' ? range.from : ''}
            max={range && range.to !== '9999-12-31' ? range.to : undefined}
            onChange={(event) => setRange(event.target.value, range?.to ?? '')}
          />
        </label>
        <label>
          {t`To`}
          <input
            className={styles.input}
            type="date"
            value={range && range.to !== '9999-12-31' ? range.to : ''}
            min={range && range.from !== '0001-01-01' ? range.from : undefined}
            onChange={(event) => setRange(range?.from ?? '', event.target.value)}
          />
        </label>
      </div>
      <div className={styles.scroll}>
        {[...years].map(([year, { count, months }]) => (
          <div key={year} className={styles.year}>
            <div className={styles.yearLine}>
              <button
                type="button"
                className={styles.expand}
                aria-expanded={openYear === year}
                aria-label={t`Months of ${year}`}
                onClick={() => setOpenYear(openYear === year ? null : year)}
              >
                <Icon name={openYear === year ? 'chevron-down' : 'chevron-right'} size={14} />
              </button>
              <Choice
                kind="radio"
                label={year}
                count={count}
                checked={query.date === year}
                onChange={() => onQuery({ ...query, date: query.date === year ? '' : year })}
              />
            </div>
            {openYear === year && (
              <div className={styles.months}>
                {months.map(({ month, asset_count }) => (
                  <Choice
                    key={month}
                    kind="radio"
                    label={formatMonth(month)}
                    count={asset_count}
                    checked={query.date === month}
                    onChange={() => onQuery({ ...query, date: query.date === month ? '' : month })}
                  />
                ))}
              </div>
            )}
          </div>
        ))}
        {dates.error && <p className={styles.note}>{dates.error.message}</p>}
      </div>
    </>
  )
}

function SortChoice({ query, onQuery }: PartProps): ReactNode {
  const current = query.sort || (query.q || query.trash ? '' : defaultOrdering)
  const field = current.replace(/^-/, '')
  const descending = current.startsWith('-')
  const startsDescending = (name: SortField): boolean => name !== 'label' && name !== 'filename'
  const set = (sort: string): void =>
    onQuery({ ...query, sort: sort === defaultOrdering && !query.q && !query.trash ? '' : sort })
  return (
    <div role="radiogroup" aria-label={t`Order`}>
      {(query.q || query.trash) && (
        <Choice
          kind="radio"
          label={query.trash ? t`Date deleted` : t`Relevance`}
          checked={current === ''}
          onChange={() => set('')}
        />
      )}
      {sortFields.map((name) => (
        <Choice
          key={name}
          kind="radio"
          label={sortNames()[name]}
          checked={field === name}
          onChange={() => set(`${startsDescending(name) ? '-' : ''}${name}`)}
        />
      ))}
      <hr className={styles.rule} />
      <Choice
        kind="checkbox"
        icon={descending ? 'arrow-down' : 'arrow-up'}
        label={
          field === 'label' || field === 'filename'
            ? t`From Z to A`
            : field === 'size'
              ? t`Largest first`
              : t`Newest first`
        }
        checked={descending}
        onChange={() => current !== '' && set(descending ? field : `-${field}`)}
      />
    </div>
  )
}
