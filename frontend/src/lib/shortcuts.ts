import { useEffect, useRef } from 'react'

export type Shortcut = string

const isApple = /Mac|iPhone|iPad/.test(navigator.platform)

/** `mod+k`, `shift+?`, `delete`: `mod` is ⌘ on Apple systems and Ctrl elsewhere. */
export function shortcutOf(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'code'>,
): Shortcut {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]
  // Latin letter of the key itself, so that shortcuts work under a Cyrillic layout.
  const key = letter && !/^[a-z]$/i.test(event.key) ? letter.toLowerCase() : event.key.toLowerCase()
  const isSymbol = key.length === 1 && !/[a-z0-9 ]/.test(key)
  return [
    (isApple ? event.metaKey : event.ctrlKey) ? 'mod' : '',
    event.altKey ? 'alt' : '',
    event.shiftKey && !isSymbol ? 'shift' : '',
    key === ' ' ? 'space' : key,
  ]
    .filter(Boolean)
    .join('+')
}

export function isEditable(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    !(target instanceof HTMLInputElement && /^(checkbox|radio|range|button)$/.test(target.type))
  )
}

/** A dialog or menu owns the keyboard while it is open. */
export function isInOverlay(): boolean {
  return document.querySelector('[role="dialog"]:not([data-tray]), [role="alertdialog"], [role="menu"]') !== null
}

/** Handlers return false to let the event go on. Later mounted components come first. */
type Handler = (event: KeyboardEvent) => boolean | void
type Entry = { shortcuts: readonly Shortcut[]; handle: Handler; inFields: boolean; inOverlays: boolean }
const entries: Entry[] = []

window.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return
  const shortcut = shortcutOf(event)
  const editable = isEditable(event.target)
  const overlay = isInOverlay()
  for (const entry of entries.toReversed()) {
    if (!entry.shortcuts.includes(shortcut) || (editable && !entry.inFields) || (overlay && !entry.inOverlays)) continue
    if (entry.handle(event) === false) continue
    event.preventDefault()
    return
  }
})

export function useShortcut(
  shortcuts: Shortcut | readonly Shortcut[],
  handle: Handler,
  options: { inFields?: boolean; inOverlays?: boolean; enabled?: boolean } = {},
): void {
  const latest = useRef(handle)
  latest.current = handle
  const key = typeof shortcuts === 'string' ? shortcuts : shortcuts.join(' ')
  const { inFields = false, inOverlays = false, enabled = true } = options
  useEffect(() => {
    if (!enabled) return
    const entry: Entry = { shortcuts: key.split(' '), handle: (event) => latest.current(event), inFields, inOverlays }
    entries.push(entry)
    return () => void entries.splice(entries.indexOf(entry), 1)
  }, [key, inFields, inOverlays, enabled])
}

const keyNames: Record<string, string> = {
  mod: isApple ? '⌘' : 'Ctrl',
  shift: isApple ? '⇧' : 'Shift',
  alt: isApple ? '⌥' : 'Alt',
  delete: 'Del',
  escape: 'Esc',
  arrowleft: '←',
  arrowright: '→',
  arrowup: '↑',
  arrowdown: '↓',
  enter: '↵',
  space: 'Space',
}

/** The keys of a shortcut as they are printed on the keyboard. */
export function keysOf(shortcut: Shortcut): string[] {
  return shortcut
    .split(/\+(?=.)/)
    .map((key) => keyNames[key] ?? (key.length === 1 ? key.toUpperCase() : key[0]!.toUpperCase() + key.slice(1)))
}
