import type { AssetSummary } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { memo, useState, type ReactNode } from 'react'
import { assetTypeNames, extensionOf, previewReason, splitReason, typeIcon } from '../../lib/asset-words.ts'
import { formatClock } from '../../lib/format.ts'
import { placeholderUrl } from '../../lib/placeholder.ts'
import { Icon } from '../../ui/icon.tsx'
import styles from './asset-card.module.css'

type AssetCardProps = { asset: AssetSummary; width: number; height: number; eager: boolean; fit?: 'cover' | 'contain' }

/** Pictures already shown once: they come from the cache and must not fade in again while scrolling. */
const shown = new Set<string>()

function Picture({ src, eager, contain }: { src: string; eager: boolean; contain: boolean }): ReactNode {
  const [state, setState] = useState<'waiting' | 'shown' | 'broken'>(shown.has(src) ? 'shown' : 'waiting')
  if (state === 'broken') return null
  return (
    <img
      className={styles.picture}
      data-shown={state === 'shown' || undefined}
      data-contain={contain || undefined}
      src={src}
      alt=""
      draggable={false}
      decoding="async"
      fetchPriority={eager ? 'high' : 'auto'}
      onLoad={() => {
        shown.add(src)
        setState('shown')
      }}
      onError={() => setState('broken')}
    />
  )
}

/** What a card says in its corner: how long, how many pages, that it moves. */
export function badgeOf(asset: AssetSummary): string | null {
  if (asset.duration !== null && asset.duration >= 0.5 && (asset.type === 'video' || asset.type === 'audio'))
    return formatClock(asset.duration)
  if (asset.page_count !== null && asset.page_count > 1) return t`${asset.page_count} p.`
  if (asset.animated) return extensionOf(asset.filename) || t`Animated`
  return null
}

export function cardLabel(asset: AssetSummary): string {
  const reason = previewReason(asset)
  const state = asset.status === 'processing' ? t`processing` : reason && splitReason(reason).words
  return [asset.label, assetTypeNames()[asset.type], state].filter(Boolean).join(', ')
}

/** A picture, or an honest card that says what the file is and why there is no picture of it. */
export const AssetCard = memo(function AssetCard({
  asset,
  width,
  height,
  eager,
  fit = 'cover',
}: AssetCardProps): ReactNode {
  const hash = placeholderUrl(asset.placeholder)
  const badge = badgeOf(asset)
  const reason = previewReason(asset)
  const isWaiting =
    asset.thumbnail_url === null &&
    (asset.status === 'processing' || asset.preview_state === 'pending') &&
    reason === null
  const cardWidth = asset.width && asset.height ? asset.width / asset.height : 4 / 3
  const isCropped = Math.abs(cardWidth / (width / height) - 1) > 0.35
  return (
    <span
      className={styles.card}
      aria-hidden="true"
      data-state={asset.thumbnail_url ? 'picture' : isWaiting ? 'waiting' : 'plain'}
    >
      {hash ? (
        <span
          className={styles.placeholder}
          data-kept={isCropped || fit === 'contain' || !asset.thumbnail_url || undefined}
          style={{ backgroundImage: `url("${hash}")` }}
        />
      ) : asset.colour && asset.thumbnail_url ? (
        <span className={styles.placeholder} style={{ backgroundColor: asset.colour }} />
      ) : null}
      {asset.thumbnail_url ? (
        <Picture
          key={asset.thumbnail_url}
          src={asset.thumbnail_url}
          eager={eager}
          contain={fit === 'contain' || isCropped}
        />
      ) : (
        <span className={styles.plain}>
          <span className={styles.kind}>
            <Icon name={typeIcon(asset.type)} size={width < 110 ? 22 : 30} />
            {extensionOf(asset.filename) && <span className={styles.extension}>{extensionOf(asset.filename)}</span>}
          </span>
          <bdi className={styles.name}>{asset.label}</bdi>
          {height >= 150 &&
            width >= 120 &&
            (isWaiting ? (
              <span className={styles.reason}>{t`Making the preview…`}</span>
            ) : (
              reason && <span className={styles.reason}>{splitReason(reason).words}</span>
            ))}
        </span>
      )}
      {isWaiting && <span className={styles.working} />}
      {asset.thumbnail_url && (
        <span className={styles.caption}>
          <bdi>{asset.label}</bdi>
        </span>
      )}
      <span className={styles.badges}>
        {asset.type === 'video' && asset.thumbnail_url && <Icon name="play" size={12} />}
        {badge}
      </span>
      {asset.status === 'failed' && (
        <span className={styles.failed}>
          <Icon name="warning" size={16} />
        </span>
      )}
    </span>
  )
})
