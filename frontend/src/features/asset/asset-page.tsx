import { t } from '@lingui/core/macro'
import { useState, type ReactNode } from 'react'
import { preferences, setPreference } from '../../lib/preferences.ts'
import { useShortcut } from '../../lib/shortcuts.ts'
import { useStore } from '../../lib/use-store.ts'
import { IconButton } from '../../ui/button.tsx'
import { AssetStage } from './asset-stage.tsx'
import { InfoPanel } from './info-panel.tsx'
import type { AssetVersion } from './asset-query.ts'
import styles from './asset-page.module.css'

type AssetPageProps = {
  version: AssetVersion
  mayEdit: boolean
  position: string | null
  previous: (() => void) | null
  next: (() => void) | null
  onBack: () => void
  tagHref: (tag: string) => string
  tools: ReactNode
}

export function AssetPage({
  version,
  mayEdit,
  position,
  previous,
  next,
  onBack,
  tagHref,
  tools,
}: AssetPageProps): ReactNode {
  const { asset } = version
  const panel = useStore(preferences, (value) => value.panel)
  useShortcut('i', () => setPreference('panel', panel === 'open' ? 'closed' : 'open'))
  return (
    <div className={styles.page} data-panel={panel}>
      <header className={styles.bar}>
        <IconButton icon="back" label={t`Back to the gallery`} tip="start" onClick={onBack} />
        <h1 className={styles.title}>
          <bdi>{asset.label}</bdi>
        </h1>
        {position && <span className={styles.position}>{position}</span>}
        <span className={styles.tools}>
          {tools}
          <IconButton
            icon="info"
            label={panel === 'open' ? t`Hide details` : t`Show details`}
            tip="end"
            aria-pressed={panel === 'open'}
            onClick={() => setPreference('panel', panel === 'open' ? 'closed' : 'open')}
          />
        </span>
      </header>
      <div className={styles.stage}>
        <Neighbours previous={previous} next={next} onBack={onBack} />
        <Swipe previous={previous} next={next}>
          <AssetStage key={asset.id} asset={asset} />
        </Swipe>
      </div>
      {panel === 'open' && (
        <div className={styles.panel}>
          <InfoPanel key={asset.id} version={version} mayEdit={mayEdit} onTag={tagHref} />
        </div>
      )}
    </div>
  )
}

/** Stands before the stage, so that a zoomed picture is asked first whether an arrow key moves it. */
function Neighbours({
  previous,
  next,
  onBack,
}: {
  previous: (() => void) | null
  next: (() => void) | null
  onBack: () => void
}): ReactNode {
  useShortcut('arrowleft', () => previous?.())
  useShortcut('arrowright', () => next?.())
  useShortcut(['escape', 'space'], (event) => {
    if (event.key === ' ' && (event.target as HTMLElement).closest('button, a, video, audio, summary')) return false
    onBack()
    return true
  })
  return (
    <>
      {previous && (
        <IconButton
          icon="chevron-left"
          label={t`Previous`}
          tip="start"
          className={styles.previous}
          onClick={previous}
        />
      )}
      {next && <IconButton icon="chevron-right" label={t`Next`} tip="end" className={styles.next} onClick={next} />}
    </>
  )
}

const swipePx = 70

/** On touch screens a quick sideways stroke leads on; a zoomed picture keeps its drag. */
function Swipe({
  previous,
  next,
  children,
}: {
  previous: (() => void) | null
  next: (() => void) | null
  children: ReactNode
}): ReactNode {
  const [start, setStart] = useState<{ x: number; y: number; touches: number } | null>(null)
  return (
    <div
      className={styles.swipe}
      onTouchStart={(event) =>
        setStart({ x: event.touches[0]!.clientX, y: event.touches[0]!.clientY, touches: event.touches.length })
      }
      onTouchEnd={(event) => {
        const touch = event.changedTouches[0]
        if (!start || !touch || start.touches > 1 || event.currentTarget.querySelector('[data-zoomed]')) return
        const x = touch.clientX - start.x
        if (Math.abs(x) < swipePx || Math.abs(touch.clientY - start.y) > Math.abs(x) / 2) return
        if (x > 0) previous?.()
        else next?.()
      }}
    >
      {children}
    </div>
  )
}
