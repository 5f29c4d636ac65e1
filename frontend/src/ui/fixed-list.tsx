import { useState, type ReactNode } from 'react'

type FixedListProps<T> = {
  items: readonly T[]
  rowHeight: number
  className?: string | undefined
  label: string
  render: (item: T) => ReactNode
  keyOf: (item: T) => string
}

/** A list of any length whose lines have one height: only those in view exist. */
export function FixedList<T>({ items, rowHeight, className, label, render, keyOf }: FixedListProps<T>): ReactNode {
  const [view, setView] = useState({ top: 0, height: 400 })
  const first = Math.max(0, Math.floor(view.top / rowHeight) - 4)
  const end = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + 4)
  return (
    <div
      className={className}
      tabIndex={0}
      role="region"
      aria-label={label}
      ref={(element) => {
        if (element && element.clientHeight !== view.height)
          setView({ top: element.scrollTop, height: element.clientHeight })
      }}
      onScroll={(event) => {
        const { scrollTop: top, clientHeight: height } = event.currentTarget
        setView((now) =>
          Math.floor(now.top / rowHeight) === Math.floor(top / rowHeight) && now.height === height
            ? now
            : { top, height },
        )
      }}
    >
      <ul style={{ position: 'relative', blockSize: items.length * rowHeight }}>
        {items.slice(first, end).map((item, offset) => (
          <li
            key={keyOf(item)}
            aria-setsize={items.length}
            aria-posinset={first + offset + 1}
            style={{
              position: 'absolute',
              insetInline: 0,
              insetBlockStart: 0,
              transform: `translateY(${(first + offset) * rowHeight}px)`,
              blockSize: rowHeight,
            }}
          >
            {render(item)}
          </li>
        ))}
      </ul>
    </div>
  )
}
