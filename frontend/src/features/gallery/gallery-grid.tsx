import { t } from '@lingui/core/macro'
import { memo, type DragEvent, type ReactNode } from 'react'
import type { AssetSummary } from '@dam/contract/types'
import { formatCount } from '../../lib/format.ts'
import { assetHref } from '../../lib/gallery-query.ts'
import { Icon } from '../../ui/icon.tsx'
import { AssetCard, cardLabel } from './asset-card.tsx'
import type { SharedGridProps } from './gallery-view.tsx'
import { isSelected, type Selection } from './selection.ts'
import styles from './gallery.module.css'

type GalleryGridProps = SharedGridProps & { gap: number; firstRow: number }

export function GalleryGrid({
  assets,
  rows,
  gap,
  firstRow,
  query,
  selection,
  tabStop,
  draggable,
  onCardClick,
  onToggle,
  onCardMenu,
  onFocus,
}: GalleryGridProps): ReactNode {
  return rows.map((row, position) => {
    if (row.kind === 'heading') {
      return (
        <div
          key={`h${row.start}`}
          role="row"
          aria-rowindex={firstRow + position + 1}
          className={styles.heading}
          style={{ insetBlockStart: row.top, blockSize: row.height }}
        >
          <span role="gridcell">
            {row.label} <span className={styles.headingCount}>{formatCount(row.count)}</span>
          </span>
        </div>
      )
    }
    let left = 0
    return (
      <div
        key={row.start}
        role="row"
        aria-rowindex={firstRow + position + 1}
        className={styles.row}
        style={{ insetBlockStart: row.top, blockSize: row.height }}
      >
        {row.widths.map((width, offset) => {
          const asset = assets[row.start + offset]
          const start = left
          left += width + gap
          if (!asset) return null
          const selected = isSelected(selection, asset.id)
          return (
            <Cell
              key={asset.id}
              asset={asset}
              href={assetHref(asset.id, query)}
              start={start}
              width={width}
              height={row.height}
              selected={selected}
              tabbable={asset.id === tabStop}
              eager={row.start + offset < 24}
              dragIds={draggable ? (selected ? selection : asset.id) : null}
              onCardClick={onCardClick}
              onToggle={onToggle}
              onCardMenu={onCardMenu}
              onFocus={onFocus}
            />
          )
        })}
      </div>
    )
  })
}

type CellProps = Pick<SharedGridProps, 'onCardClick' | 'onToggle' | 'onCardMenu' | 'onFocus'> & {
  asset: AssetSummary
  href: string
  start: number
  width: number
  height: number
  selected: boolean
  tabbable: boolean
  eager: boolean
  dragIds: Selection | number | null
}

/** Media type under which a drag carries asset ids, as JSON. */
const dragType = 'application/x-dam-assets'

export function startAssetDrag(event: DragEvent, dragged: Selection | number | null): void {
  const ids = typeof dragged === 'number' ? [dragged] : dragged?.kind === 'ids' ? [...dragged.ids] : null
  if (!ids) return event.preventDefault()
  event.dataTransfer.setData(dragType, JSON.stringify(ids))
  event.dataTransfer.effectAllowed = 'copy'
  const card = event.currentTarget.previousElementSibling
  if (card) event.dataTransfer.setDragImage(card, 24, 24)
}

const Cell = memo(function Cell({
  asset,
  href,
  start,
  width,
  height,
  selected,
  tabbable,
  eager,
  dragIds,
  onCardClick,
  onToggle,
  onCardMenu,
  onFocus,
}: CellProps): ReactNode {
  return (
    <div
      role="gridcell"
      aria-selected={selected}
      data-cell=""
      data-selected={selected || undefined}
      className={styles.cell}
      style={{ insetInlineStart: start, inlineSize: width, blockSize: height }}
      onContextMenu={(event) => onCardMenu(event, asset.id)}
    >
      <span className={styles.visual}>
        <AssetCard asset={asset} width={width} height={height} eager={eager} />
      </span>
      {/* The link lies over the card: it has one name, whatever the card shows. */}
      <a
        href={href}
        className={styles.link}
        data-asset={asset.id}
        tabIndex={tabbable ? 0 : -1}
        aria-label={cardLabel(asset)}
        draggable={dragIds !== null}
        onDragStart={(event) => startAssetDrag(event, dragIds)}
        onClick={(event) => onCardClick(event, asset.id)}
        onFocus={() => onFocus(asset.id)}
      />
      <button
        type="button"
        className={styles.checkbox}
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
    </div>
  )
})
