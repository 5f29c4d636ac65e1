/**
 * Keys pressed between asking for the palette and its chunk being there. They are meant for its field: kept for it, and
 * kept from the page's own shortcuts.
 */
let typed = ''
let stop: (() => void) | null = null

export function beginTypeAhead(): void {
  stop?.()
  typed = ''
  const keep = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Backspace') typed = typed.slice(0, -1)
    else if (event.key.length === 1) typed += event.key
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  window.addEventListener('keydown', keep, true)
  stop = () => window.removeEventListener('keydown', keep, true)
}

/** What was typed since; from here on keys go where the focus is. */
export function endTypeAhead(): string {
  stop?.()
  stop = null
  const text = typed
  typed = ''
  return text
}
