import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { assetTypeNames, previewReason, statusName } from '../../lib/asset-words.ts'
import { formatBytes, formatDate } from '../../lib/format.ts'
import { assetHref, defaultOrdering, galleryHref, type GalleryQuery, type SortField } from '../../lib/gallery-query.ts'
import { Link } from '../../lib/navigation.ts'
import { Icon } from '../../ui/icon.tsx'
import { AssetCard, cardLabel } from './asset-card.tsx'
import { startAssetDrag } from './gallery-grid.tsx'
import type { SharedGridProps } from './gallery-view.tsx'
import { isSelected } from './selection.ts'
import styles from './gallery.module.css'

export function GalleryList({
  assets,
  rows,
  query,
  selection,
  tabStop,
  draggable,
  onCardClick,
  onToggle,
  onCardMenu,
  onFocus,
}: SharedGridProps): ReactNode {
  const names = assetTypeNames()
  const lines = rows.map((row) => {
    const asset = assets[row.start]
    if (!asset) return null
    const selected = isSelected(selection, asset.id)
    const note = asset.status === 'ready' ? previewReason(asset) : (asset.status_reason ?? statusName(asset.status))
    return (
      <div
        key={asset.id}
        role="row"
        aria-rowindex={row.start + 1}
        aria-selected={selected}
        data-selected={selected || undefined}
        className={styles.line}
        style={{ insetBlockStart: row.top, blockSize: row.height }}
        onContextMenu={(event) => onCardMenu(event, asset.id)}
      >
        <span role="gridcell" className={styles.lineSelect}>
          <button
            type="button"
            className={styles.lineCheckbox}
            role="checkbox"
            aria-checked={selected}
            aria-label={t`Select ${asset.label}`}
            tabIndex={-1}
            onClick={(event) => onToggle(event, asset.id)}
          >
            <span>
              <Icon name="check" size={14} />
            </span>
          </button>
        </span>
        <span role="gridcell" className={styles.lineName}>
          <span className={styles.lineWhat} aria-hidden="true">
            <span className={styles.lineThumbnail}>
              {asset.thumbnail_url ? (
                <AssetCard
                  asset={{ ...asset, duration: null, page_count: null, animated: false, type: 'image' }}
                  width={60}
                  height={44}
                  eager={false}
                  fit="contain"
                />
              ) : (
                <Icon name={asset.type} />
              )}
            </span>
            <span className={styles.lineTitle}>
              <bdi>{asset.label}</bdi>
              <span className={styles.lineNote}>
                {note ?? (asset.filename === asset.label ? asset.tags.join(', ') : <bdi>{asset.filename}</bdi>)}
              </span>
            </span>
          </span>
          <a
            href={assetHref(asset.id, query)}
            data-asset={asset.id}
            tabIndex={asset.id === tabStop ? 0 : -1}
            aria-label={cardLabel(asset)}
            draggable={draggable}
            onDragStart={(event) => startAssetDrag(event, draggable ? (selected ? selection : asset.id) : null)}
            onClick={(event) => onCardClick(event, asset.id)}
            onFocus={() => onFocus(asset.id)}
          />
        </span>
        <span role="gridcell" className={styles.lineType}>
          {names[asset.type]}
        </span>
        <span role="gridcell" className={styles.lineSize}>
          {formatBytes(asset.size)}
        </span>
        <span role="gridcell" className={styles.linePixels}>
          {asset.width && asset.height ? `${asset.width} × ${asset.height}` : '–'}
        </span>
        <span role="gridcell" className={styles.lineDate}>
          {asset.captured_at ? formatDate(asset.captured_at) : '–'}
        </span>
        <span role="gridcell" className={styles.lineDate}>
          {formatDate(asset.date_added)}
        </span>
      </div>
    )
  })
  return (
    <>
      <Columns query={query} />
      {lines}
    </>
  )
}

/** Height of the column headings, px: rows begin below it. */
export const columnsHeight = 40

function Columns({ query }: { query: GalleryQuery }): ReactNode {
  const current = query.sort || (query.q || query.trash ? '' : defaultOrdering)
  const column = (field: SortField | null, label: string, className?: string): ReactNode => {
    const isCurrent = field !== null && current.replace(/^-/, '') === field
    const descending = current.startsWith('-')
    const next = isCurrent ? (descending ? field : `-${field}`) : field === 'label' ? field : `-${field}`
    return (
      <span
        role="columnheader"
        className={className}
        aria-sort={isCurrent ? (descending ? 'descending' : 'ascending') : undefined}
      >
        {field ? (
          <Link
            to={`${galleryHref({ ...query, sort: next })}${galleryHref({ ...query, sort: next }).includes('?') ? '&' : '?'}view=list`}
            replace
          >
            {label}
            {isCurrent && <Icon name={descending ? 'arrow-down' : 'arrow-up'} size={12} />}
          </Link>
        ) : (
          label
        )}
      </span>
    )
  }
  return (
    <div role="row" className={styles.columns}>
      <span role="columnheader">
        <span className="visually-hidden">{t`Selected`}</span>
      </span>
      {column('label', t`Title`)}
      {column(null, t`Type`, styles.lineType)}
      {column('size', t`Size`, styles.lineSize)}
      {column(null, t`Pixels`, styles.linePixels)}
      {column('date', t`Taken`, styles.lineDate)}
      {column('date_added', t`Added`, styles.lineDate)}
    </div>
  )
}
