import 'uplot/dist/uPlot.min.css'
import type { SignalMark, SignalSeries, SignalsView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useEffect, useRef, type ReactNode } from 'react'
import Plot from 'uplot'
import { formatDateTime } from '../../lib/format.ts'
import { preferences } from '../../lib/preferences.ts'
import { useStore } from '../../lib/use-store.ts'
import styles from './signal-plot.module.css'
import { boundWords, formatSignal, formatTick, signalTitle } from './signal-words.ts'

const height = 150
const tableRows = 24

/** One signal over time: its line, the limits of alerts, deployments and maintenance. The same is there as a table. */
export default function SignalPlot({ view, series }: { view: SignalsView; series: SignalSeries }): ReactNode {
  const { unit, values, limits, target } = series
  const known = values.filter((value) => value !== null)
  const newest = values.findLast((value) => value !== null) ?? null
  const title = signalTitle(series.signal, series.title)
  const say = (value: number | null): string => formatSignal(unit, value)
  const summary =
    known.length === 0
      ? t`${title}: nothing was measured in this time.`
      : t`${title}: now ${say(newest)}, between ${say(Math.min(...known))} and ${say(Math.max(...known))}.`
  return (
    <figure className={styles.figure}>
      <figcaption>
        <strong>{title}</strong>
        <b>{say(newest)}</b>
      </figcaption>
      {known.length === 0 ? (
        <p className={styles.nothing}>{t`Nothing was measured in this time.`}</p>
      ) : (
        <Canvas view={view} series={series} label={summary} />
      )}
      <ul className={styles.limits}>
        {target && (
          <li data-kind="target">
            <Dash kind="target" />
            {t`target ${boundWords(target.is, say(target.value))}`}
          </li>
        )}
        {limits.map((limit) => (
          <li key={limit.rule} data-kind={limit.severity <= 'P1' ? 'severe' : 'mild'}>
            <Dash kind={limit.severity <= 'P1' ? 'severe' : 'mild'} />
            {limit.severity} {boundWords(limit.is, say(limit.value))}
          </li>
        ))}
      </ul>
      {known.length > 0 && (
        <details className={styles.table}>
          <summary>{t`As a table`}</summary>
          <Table view={view} series={series} />
        </details>
      )}
    </figure>
  )
}

const colours = { target: '--success', severe: '--danger', mild: '--warning' } as const

function Dash({ kind }: { kind: keyof typeof colours }): ReactNode {
  return (
    <svg width="18" height="8" aria-hidden="true">
      <line x1="0" x2="18" y1="4" y2="4" stroke={`var(${colours[kind]})`} strokeWidth="1.5" strokeDasharray="4 3" />
    </svg>
  )
}

/** At most two dozen rows, each the worst of its stretch. */
function Table({ view, series }: { view: SignalsView; series: SignalSeries }): ReactNode {
  const size = Math.ceil(view.times.length / tableRows)
  const isBadLow = series.limits[0]?.is === 'below' || series.target?.is === 'above'
  const rows = Array.from({ length: Math.ceil(view.times.length / size) }, (_, index) => {
    const stretch = series.values.slice(index * size, (index + 1) * size).filter((value) => value !== null)
    const value = stretch.length === 0 ? null : isBadLow ? Math.min(...stretch) : Math.max(...stretch)
    return { at: new Date((view.times[index * size] ?? 0) * 1_000).toISOString(), value }
  })
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t`From`}</th>
          <th scope="col">{isBadLow ? t`Lowest` : t`Highest`}</th>
        </tr>
      </thead>
      <tbody>
        {rows.toReversed().map(({ at, value }) => (
          <tr key={at}>
            <td>
              <time dateTime={at}>{formatDateTime(at)}</time>
            </td>
            <td>{formatSignal(series.unit, value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Canvas({ view, series, label }: { view: SignalsView; series: SignalSeries; label: string }): ReactNode {
  const element = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const marks = useRef<readonly SignalMark[]>(view.marks)
  marks.current = view.marks
  const theme = useStore(preferences, (value) => value.theme)
  const data: Plot.AlignedData = [view.times, series.values]

  useEffect(() => {
    const place = element.current
    if (!place) return undefined
    const colour = (name: string): string => resolveColour(place, name)
    const lines = [
      ...(series.target ? [{ value: series.target.value, colour: colour(colours.target) }] : []),
      ...series.limits.map(({ value, severity }) => ({
        value,
        colour: colour(severity <= 'P1' ? colours.severe : colours.mild),
      })),
    ]
    const made = new Plot(
      {
        width: place.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: true }, y: { range: (_, low, high) => rangeOf(series, low, high) } },
        axes: [
          {
            ...axis(colour),
            size: 30,
            space: 70,
            values: (_, ticks) => ticks.map((tick) => tickText(tick, view.range)),
          },
          {
            ...axis(colour),
            size: 62,
            space: 34,
            values: (_, ticks) => ticks.map((tick) => formatTick(series.unit, tick)),
          },
        ],
        series: [
          {},
          {
            stroke: colour('--accent'),
            width: 1.75,
            fill: `color-mix(in srgb, ${colour('--accent')} 9%, transparent)`,
            points: { show: false },
          },
        ],
        hooks: {
          drawClear: [(drawn) => shadeWindows(drawn, marks.current, colour('--warning'))],
          draw: [
            (drawn) => {
              drawLimits(drawn, lines)
              drawMarks(drawn, marks.current, { cutOver: colour('--ink-soft'), rollback: colour('--danger') })
            },
          ],
        },
      },
      data,
      place,
    )
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height }))
    watch.observe(place)
    return () => {
      watch.disconnect()
      made.destroy()
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- data is set below without making the plot anew
  }, [theme, series.signal, view.range, view.environment])

  useEffect(() => plot.current?.setData(data))

  return <div ref={element} className={styles.plot} role="img" aria-label={label} />
}

/** The nearest limit is always in sight; those far away are named below the plot instead of flattening the line. */
function rangeOf(series: SignalSeries, low: number, high: number): [number, number] {
  const bounds = [...series.limits, ...(series.target ? [series.target] : [])].map(({ value }) => value)
  if (series.unit === 'share' && (series.limits[0]?.is === 'below' || series.target?.is === 'above')) {
    const least = Math.min(low, ...bounds.filter((value) => value > 0.5))
    return [Math.max(0, least - (1 - least) * 0.2), 1]
  }
  const reach = Math.max(high * 3, Math.min(...bounds, Number.POSITIVE_INFINITY))
  const top = Math.max(high, ...bounds.filter((value) => value <= reach))
  return [0, top > 0 ? top * 1.12 : 1]
}

function drawLimits(drawn: Plot, lines: readonly { value: number; colour: string }[]): void {
  const { ctx, bbox } = drawn
  for (const { value, colour } of lines) {
    const y = Math.round(drawn.valToPos(value, 'y', true))
    if (y < bbox.top || y > bbox.top + bbox.height) continue
    ctx.save()
    ctx.strokeStyle = colour
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.restore()
  }
}

function drawMarks(drawn: Plot, marks: readonly SignalMark[], colours: { cutOver: string; rollback: string }): void {
  const { ctx, bbox } = drawn
  for (const mark of marks) {
    if (mark.kind === 'maintenance') continue
    const x = Math.round(drawn.valToPos(Date.parse(mark.at) / 1_000, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    const size = 5 * devicePixelRatio
    ctx.save()
    ctx.strokeStyle = mark.kind === 'rollback' ? colours.rollback : colours.cutOver
    ctx.fillStyle = ctx.strokeStyle
    ctx.lineWidth = devicePixelRatio
    if (mark.kind === 'rollback') ctx.setLineDash([2 * devicePixelRatio, 2 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    // A triangle up for what came, down for what went back: not told by colour alone.
    const [tip, base] = mark.kind === 'rollback' ? [bbox.top + size, bbox.top] : [bbox.top, bbox.top + size]
    ctx.beginPath()
    ctx.moveTo(x, tip)
    ctx.lineTo(x - size, base)
    ctx.lineTo(x + size, base)
    ctx.fill()
    ctx.restore()
  }
}

function shadeWindows(drawn: Plot, marks: readonly SignalMark[], colour: string): void {
  const { ctx, bbox } = drawn
  const [first, last] = [drawn.scales['x']?.min ?? 0, drawn.scales['x']?.max ?? 0]
  for (const mark of marks) {
    if (mark.kind !== 'maintenance') continue
    const from = Math.max(Date.parse(mark.at) / 1_000, first)
    const until = Math.min(mark.until === null ? last : Date.parse(mark.until) / 1_000, last)
    if (until <= from) continue
    const left = drawn.valToPos(from, 'x', true)
    ctx.save()
    ctx.globalAlpha = 0.14
    ctx.fillStyle = colour
    ctx.fillRect(left, bbox.top, drawn.valToPos(until, 'x', true) - left, bbox.height)
    ctx.restore()
  }
}

function tickText(seconds: number, range: SignalsView['range']): string {
  const at = new Date(seconds * 1_000)
  if (range === '7d' || range === '35d')
    return at.toLocaleDateString(document.documentElement.lang, { day: 'numeric', month: 'short' })
  return at.toTimeString().slice(0, 5)
}

const axis = (colour: (name: string) => string): Plot.Axis => ({
  stroke: colour('--ink-soft'),
  font: '11px system-ui, sans-serif',
  grid: { stroke: colour('--line'), width: 1 },
  ticks: { show: false },
})

/** Canvas knows no custom properties and no light-dark(): the browser says what they are here. */
function resolveColour(element: HTMLElement, name: string): string {
  const probe = element.ownerDocument.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
