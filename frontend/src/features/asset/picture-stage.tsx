import type { Asset } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useEffect, useLayoutEffect, useRef, useState, type PointerEvent, type ReactNode } from 'react'
import { placeholderUrl } from '../../lib/placeholder.ts'
import { useShortcut } from '../../lib/shortcuts.ts'
import { useElementSize } from '../../lib/use-element-size.ts'
import { IconButton } from '../../ui/button.tsx'
import { actualScale, contain, fitted, fittedSize, zoomAt, type View } from './zoom.ts'
import styles from './stage.module.css'

/** Originals that every browser draws; for others the preview is as near as one can look. */
const displayable = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'])
const largestOriginalBytes = 80_000_000
const step = 1.5

/** A picture to look at closely: wheel, pinch, double click, keys and drag. The original is loaded once the preview is too coarse. */
export function PictureStage({ asset, src }: { asset: Asset; src: string }): ReactNode {
  const stage = useRef<HTMLDivElement>(null)
  const size = useElementSize(stage)
  const [view, setView] = useState<View>(fitted)
  const [loaded, setLoaded] = useState(false)
  const [natural, setNatural] = useState({ width: asset.width ?? 0, height: asset.height ?? 0 })
  const [original, setOriginal] = useState<'unused' | 'loading' | 'shown' | 'failed'>('unused')
  const preview = asset.renditions.find((rendition) => rendition.preset === 'preview')
  const isDisplayable = displayable.has(asset.mime_type) && asset.size <= largestOriginalBytes
  // A picture whose original cannot be shown is as large as its preview.
  const picture =
    isDisplayable && asset.width && asset.height
      ? { width: asset.width, height: asset.height }
      : { width: preview?.width ?? natural.width, height: preview?.height ?? natural.height }
  const ratio = window.devicePixelRatio || 1
  const shown = fittedSize(picture, size)
  const one = actualScale(picture, size, ratio)

  const live = useRef({ view, picture, size, ratio })
  live.current = { view, picture, size, ratio }
  const zoomBy = (factor: number, point = { x: 0, y: 0 }): void =>
    setView((now) => zoomAt(now, now.scale * factor, point, picture, size, ratio))
  const toggle = (point: { x: number; y: number }): void =>
    setView((now) => (now.scale > 1.01 ? fitted : zoomAt(now, Math.max(2, one), point, picture, size, ratio)))
  const fromCentre = (event: { clientX: number; clientY: number }): { x: number; y: number } => {
    const box = stage.current!.getBoundingClientRect()
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 }
  }

  useLayoutEffect(() => {
    setView(fitted)
    setOriginal('unused')
    setLoaded(false)
    setNatural({ width: asset.width ?? 0, height: asset.height ?? 0 })
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- another asset starts afresh; a change of the same one does not
  }, [asset.id])
  const isCoarse = preview ? view.scale * shown.width * ratio > preview.width * 1.1 : false
  useEffect(() => {
    if (isCoarse && isDisplayable) setOriginal((now) => (now === 'unused' ? 'loading' : now))
  }, [isCoarse, isDisplayable])

  useEffect(() => {
    const element = stage.current
    if (!element) return
    // React attaches wheel listeners as passive; zooming has to keep the page from scrolling.
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault()
      const { picture: now, size: area, ratio: pixels } = live.current
      const lines = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY
      const factor = Math.exp(-lines * (event.ctrlKey ? 0.01 : 0.0022))
      const box = element.getBoundingClientRect()
      const point = { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 }
      setView((current) => zoomAt(current, current.scale * factor, point, now, area, pixels))
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [])

  useShortcut(['+', '='], () => zoomBy(step))
  useShortcut('-', () => zoomBy(1 / step))
  useShortcut('0', () => setView(fitted))
  useShortcut('1', () => setView((now) => zoomAt(now, Math.max(1, one), { x: 0, y: 0 }, picture, size, ratio)))
  const pan = (x: number, y: number) => () => {
    if (view.scale <= 1) return false
    setView((now) => contain({ ...now, x: now.x + x, y: now.y + y }, picture, size))
    return true
  }
  useShortcut('arrowleft', pan(80, 0))
  useShortcut('arrowright', pan(-80, 0))
  useShortcut('arrowup', pan(0, 80))
  useShortcut('arrowdown', pan(0, -80))

  const pointers = useRef(new Map<number, { x: number; y: number }>())
  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || (event.target as HTMLElement).closest('button')) return
    pointers.current.set(event.pointerId, fromCentre(event))
    stage.current?.setPointerCapture(event.pointerId)
  }
  const onPointerMove = (event: PointerEvent): void => {
    const before = pointers.current.get(event.pointerId)
    if (!before) return
    const now = fromCentre(event)
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1]
    pointers.current.set(event.pointerId, now)
    if (other) {
      const distance = (a: { x: number; y: number }, b: { x: number; y: number }): number =>
        Math.max(1, Math.hypot(a.x - b.x, a.y - b.y))
      const factor = distance(now, other) / distance(before, other)
      setView((current) =>
        zoomAt(
          current,
          current.scale * factor,
          { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 },
          picture,
          size,
          ratio,
        ),
      )
    } else
      setView((current) =>
        contain({ ...current, x: current.x + now.x - before.x, y: current.y + now.y - before.y }, picture, size),
      )
  }
  const onPointerEnd = (event: PointerEvent): void => void pointers.current.delete(event.pointerId)

  const percent = Math.round((view.scale / one) * 100)
  const place = {
    inlineSize: shown.width,
    blockSize: shown.height,
    transform: `translate(-50%, -50%) translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
  }
  const hash = placeholderUrl(asset.placeholder)
  return (
    <div
      ref={stage}
      className={styles.stage}
      data-zoomed={view.scale > 1 || undefined}
      onDoubleClick={(event) => !(event.target as HTMLElement).closest('button') && toggle(fromCentre(event))}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerEnd}
      onPointerCancel={onPointerEnd}
    >
      <div className={styles.picture} dir="ltr" style={place} data-alpha={loaded || undefined}>
        {hash && !loaded && <img className={styles.layer} src={hash} alt="" />}
        <img
          key={src}
          className={styles.layer}
          data-hidden={!loaded || original === 'shown' || undefined}
          src={src}
          alt={asset.description || asset.label}
          draggable={false}
          fetchPriority="high"
          onLoad={(event) => {
            setLoaded(true)
            if (!asset.width)
              setNatural({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })
          }}
        />
        {original !== 'unused' && original !== 'failed' && (
          <img
            className={styles.layer}
            data-hidden={original !== 'shown' || undefined}
            src={`${asset.download_url}?inline=1`}
            alt=""
            draggable={false}
            onLoad={() => setOriginal('shown')}
            onError={() => setOriginal('failed')}
          />
        )}
      </div>
      <div className={styles.zoomBar} role="group" aria-label={t`Zoom`}>
        <IconButton
          icon="zoom-out"
          label={t`Zoom out`}
          tip="above"
          disabled={view.scale <= 1}
          onClick={() => zoomBy(1 / step)}
        />
        <button
          type="button"
          className={styles.percent}
          onClick={() =>
            setView((now) => (now.scale > 1 ? fitted : zoomAt(now, one, { x: 0, y: 0 }, picture, size, ratio)))
          }
          aria-label={view.scale > 1 ? t`Fit, now ${percent} %` : t`Actual size, now ${percent} %`}
        >
          {percent} %
        </button>
        <IconButton icon="zoom" label={t`Zoom in`} tip="above" onClick={() => zoomBy(step)} />
        {original === 'loading' && <span className={styles.loadingOriginal}>{t`Loading the original…`}</span>}
        {isCoarse && !isDisplayable && (
          <span className={styles.loadingOriginal}>{t`Preview; download for full detail`}</span>
        )}
      </div>
    </div>
  )
}
