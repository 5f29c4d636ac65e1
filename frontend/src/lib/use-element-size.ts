import { useLayoutEffect, useState, type RefObject } from 'react'

/** Inner size of an element, px; zero until it is measured, before the first paint. */
export function useElementSize(ref: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const measure = (): void => {
      const next = { width: element.clientWidth, height: element.clientHeight }
      setSize((current) => (current.width === next.width && current.height === next.height ? current : next))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [ref])
  return size
}
