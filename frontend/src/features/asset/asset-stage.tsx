import type { Asset } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useState, type ReactNode } from 'react'
import { assetTypeNames, extensionOf, previewReason, splitReason } from '../../lib/asset-words.ts'
import { formatBytes } from '../../lib/format.ts'
import { buttonClass } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { PictureStage } from './picture-stage.tsx'
import styles from './stage.module.css'

/** Shows an asset as large as its kind allows: picture, film, sound, first page, or an honest card. */
export function AssetStage({ asset }: { asset: Asset }): ReactNode {
  const [unplayable, setUnplayable] = useState<number | null>(null)
  const original = `${asset.download_url}?inline=1`
  const canPlay =
    unplayable !== asset.id &&
    document.createElement(asset.type === 'audio' ? 'audio' : 'video').canPlayType(asset.mime_type) !== ''
  if (asset.type === 'video' && canPlay) {
    return (
      <div className={styles.stage}>
        <video
          key={asset.id}
          className={styles.video}
          src={original}
          poster={asset.preview_url ?? undefined}
          controls
          playsInline
          preload="metadata"
          onError={() => setUnplayable(asset.id)}
          aria-label={asset.label}
        />
      </div>
    )
  }
  if (asset.type === 'audio' && canPlay) {
    return (
      <div className={styles.stage}>
        <div className={styles.sound}>
          {asset.preview_url ? (
            <img src={asset.preview_url} alt="" />
          ) : (
            <span className={styles.bigIcon}>
              <Icon name="audio" size={56} />
            </span>
          )}
          <audio
            key={asset.id}
            src={original}
            controls
            preload="metadata"
            onError={() => setUnplayable(asset.id)}
            aria-label={asset.label}
          />
        </div>
      </div>
    )
  }
  const note =
    unplayable === asset.id
      ? t`This browser cannot play this format. Download it to play it.`
      : (asset.type === 'video' || asset.type === 'audio') && asset.preview_url
        ? t`This browser cannot play this format.`
        : null
  if (asset.preview_url) {
    return (
      <>
        <PictureStage asset={asset} src={asset.preview_url} />
        {note && <p className={styles.note}>{note}</p>}
      </>
    )
  }
  const { words, technical } = splitReason(previewReason(asset) ?? '')
  const isWorking = asset.status === 'processing' || (asset.preview_state === 'pending' && asset.status !== 'failed')
  return (
    <div className={styles.stage}>
      <div className={styles.card}>
        <span className={styles.bigIcon}>
          <Icon name={asset.type} size={56} />
        </span>
        <strong>{extensionOf(asset.filename) || assetTypeNames()[asset.type]}</strong>
        <p role="status">{isWorking ? t`Making the preview. It appears here by itself.` : (note ?? words)}</p>
        {!isWorking && technical && (
          <details className={styles.technical}>
            <summary>{t`What the tools said`}</summary>
            <code>{technical}</code>
          </details>
        )}
        <a className={buttonClass('outline')} href={asset.download_url} download="">
          <Icon name="download" size={18} />
          {t`Download (${formatBytes(asset.size)})`}
        </a>
      </div>
    </div>
  )
}
