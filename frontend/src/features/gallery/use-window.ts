import { useEffect, useState, type RefObject } from 'react'
import { rowsBetween, type Row } from './justified-layout.ts'

/** Rows to render for what is scrolled into view, and a little more. Renders again only when the set of rows changes. */
export function useWindow(
  scroller: RefObject<HTMLElement | null>,
  offsetTop: RefObject<HTMLElement | null>,
  rows: readonly Row[],
  viewHeight: number,
): { first: number; end: number } {
  const [range, setRange] = useState({ first: 0, end: 0 })
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    let frame = 0
    const update = (): void => {
      frame = 0
      const top = element.scrollTop - (offsetTop.current?.offsetTop ?? 0)
      const reach = Math.max(400, element.clientHeight * 0.75)
      const next = rowsBetween(rows, top - reach, top + element.clientHeight + reach)
      setRange((current) => (current.first === next.first && current.end === next.end ? current : next))
    }
    const schedule = (): void => {
      frame ||= requestAnimationFrame(update)
    }
    update()
    element.addEventListener('scroll', schedule, { passive: true })
    return () => {
      element.removeEventListener('scroll', schedule)
      cancelAnimationFrame(frame)
    }
  }, [scroller, offsetTop, rows, viewHeight])
  return { first: Math.min(range.first, rows.length), end: Math.min(range.end, rows.length) }
}
