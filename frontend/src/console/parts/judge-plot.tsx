import 'uplot/dist/uPlot.min.css'
import type { JudgeTrace } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useEffect, useRef, type ReactNode } from 'react'
import Plot from 'uplot'
import { formatNumber } from '../../lib/format.ts'
import { preferences } from '../../lib/preferences.ts'
import { useStore } from '../../lib/use-store.ts'
import styles from './judge-plot.module.css'

type Line = { label: string; colour: string; dash?: number[]; values: (number | null)[] }

const height = 200

/** The judge's two sums against their bounds, and the shares of failed and slow requests of both releases. */
export default function JudgePlot({ trace }: { trace: JudgeTrace }): ReactNode {
  const seconds = trace.looks.map((look) => Date.parse(look.at) / 1000)
  const share = (failures: number | undefined, requests: number | undefined): number | null =>
    failures === undefined || !requests ? null : (100 * failures) / requests
  const flat = (value: number | null): (number | null)[] => seconds.map(() => value)
  return (
    <>
      <Chart
        title={t`Evidence against the new release`}
        note={t`Each failure adds to a sum, each good answer takes a little away. At the upper bound the release is bad.`}
        seconds={seconds}
        cutOverAt={trace.cutOverAt}
        unit=""
        lines={[
          { label: t`Errors`, colour: '--danger', values: trace.looks.map((look) => look.errors?.sum ?? null) },
          { label: t`Slowness`, colour: '--accent', values: trace.looks.map((look) => look.slowness?.sum ?? null) },
          { label: t`Bad from here`, colour: '--ink-faint', dash: [6, 4], values: flat(trace.badAt) },
          { label: t`Good so far`, colour: '--ink-faint', dash: [2, 4], values: flat(trace.floor) },
        ]}
      />
      <Chart
        title={t`Failed and slow requests`}
        note={t`Since the cut-over, in percent. More than 5 % slower than 2 s means a 95th percentile above 2 s.`}
        seconds={seconds}
        cutOverAt={trace.cutOverAt}
        unit=" %"
        lines={[
          {
            label: t`New: failed`,
            colour: '--danger',
            values: trace.looks.map((look) => share(look.errors?.failures, look.errors?.requests)),
          },
          {
            label: t`New: slow`,
            colour: '--accent',
            values: trace.looks.map((look) => share(look.slowness?.failures, look.slowness?.requests)),
          },
          {
            label: t`Old: failed`,
            colour: '--danger',
            dash: [5, 4],
            values: trace.looks.map((look) => share(look.control?.bad, look.control?.requests)),
          },
          {
            label: t`Old: slow`,
            colour: '--accent',
            dash: [5, 4],
            values: trace.looks.map((look) => share(look.control?.slow, look.control?.requests)),
          },
        ]}
      />
    </>
  )
}

function Chart({
  title,
  note,
  seconds,
  lines,
  cutOverAt,
  unit,
}: {
  title: string
  note: string
  seconds: number[]
  lines: Line[]
  cutOverAt: string | null
  unit: string
}): ReactNode {
  const element = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const theme = useStore(preferences, (value) => value.theme)
  const data: Plot.AlignedData = [seconds, ...lines.map((line) => line.values)]
  const shape = lines.map((line) => line.label).join()

  useEffect(() => {
    const place = element.current
    if (!place) return undefined
    const colour = (name: string): string => resolveColour(place, name)
    const cutOver = cutOverAt === null ? null : Date.parse(cutOverAt) / 1000
    const made = new Plot(
      {
        width: place.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: true } },
        axes: [
          {
            ...axis(colour),
            size: timeAxisHeight,
            incrs: timeSteps,
            values: (_, ticks) => ticks.map((tick) => clock(tick)),
            space: 72,
          },
          { ...axis(colour), size: 46, values: (_, ticks) => ticks.map((tick) => `${formatNumber(tick)}${unit}`) },
        ],
        series: [
          {},
          ...lines.map((line): Plot.Series => ({
            label: line.label,
            stroke: colour(line.colour),
            width: 1.75,
            points: { show: false },
            ...(line.dash ? { dash: line.dash } : {}),
          })),
        ],
        hooks: {
          draw: [
            (drawn) => {
              if (cutOver === null) return
              const x = Math.round(drawn.valToPos(cutOver, 'x', true))
              const { left, top, width, height: tall } = drawn.bbox
              if (x < left || x > left + width) return
              drawn.ctx.save()
              drawn.ctx.strokeStyle = colour('--ink-soft')
              drawn.ctx.setLineDash([2, 3])
              drawn.ctx.beginPath()
              drawn.ctx.moveTo(x, top)
              drawn.ctx.lineTo(x, top + tall)
              drawn.ctx.stroke()
              drawn.ctx.restore()
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
    const media = matchMedia('(prefers-color-scheme: dark)')
    const recolour = (): void => made.redraw()
    media.addEventListener('change', recolour)
    return () => {
      watch.disconnect()
      media.removeEventListener('change', recolour)
      made.destroy()
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- data is set below without making the plot anew
  }, [theme, shape, cutOverAt])

  useEffect(() => plot.current?.setData(data))

  const newest = lines.map((line) => ({ ...line, now: line.values.findLast((value) => value !== null) ?? null }))
  return (
    <figure className={styles.figure}>
      <figcaption>
        <strong>{title}</strong>
        <span>{note}</span>
      </figcaption>
      <div ref={element} className={styles.plot} aria-hidden="true" />
      <ul className={styles.legend}>
        {newest.map((line) => (
          <li key={line.label}>
            <svg width="22" height="8" aria-hidden="true">
              <line
                x1="0"
                x2="22"
                y1="4"
                y2="4"
                stroke={`var(${line.colour})`}
                strokeWidth="2"
                strokeDasharray={line.dash?.join(' ')}
              />
            </svg>
            {line.label}
            <b>{line.now === null ? '–' : `${formatNumber(line.now)}${unit}`}</b>
          </li>
        ))}
      </ul>
    </figure>
  )
}

/** Whole seconds: a bake that has just begun would repeat its labels. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600]
const timeAxisHeight = 30

const clock = (seconds: number): string => new Date(seconds * 1000).toTimeString().slice(0, 8)

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
