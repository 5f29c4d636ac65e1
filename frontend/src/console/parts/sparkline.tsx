import type { ReactNode } from 'react'
import styles from './sparkline.module.css'

const width = 96
const height = 24

/** The course of a value without axes; the words beside it say what it means. Gaps stay gaps. */
export function Sparkline({
  values,
  tone,
}: {
  values: readonly (number | null)[]
  tone: 'good' | 'bad' | 'neutral'
}): ReactNode {
  const known = values.filter((value) => value !== null)
  if (known.length < 2) return <span className={styles.empty} aria-hidden="true" />
  const low = Math.min(...known)
  const high = Math.max(...known)
  const span = high - low || 1
  const step = width / Math.max(1, values.length - 1)
  let path = ''
  let isDrawing = false
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDrawing = false
      continue
    }
    const y = high === low ? height / 2 : height - 2 - ((value - low) / span) * (height - 4)
    path += `${isDrawing ? 'L' : 'M'}${(index * step).toFixed(1)} ${y.toFixed(1)}`
    isDrawing = true
  }
  return (
    <svg className={styles.line} data-tone={tone} width={width} height={height} aria-hidden="true">
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  )
}
