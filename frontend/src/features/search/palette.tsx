import { Dialog } from '@base-ui/react/dialog'
import type { AssetSummary, SearchResult } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useId, useLayoutEffect, useMemo, useState, type KeyboardEvent, type ReactNode } from 'react'
import { api } from '../../lib/api.ts'
import { assetTypeNames } from '../../lib/asset-words.ts'
import { formatTotal } from '../../lib/format.ts'
import { placeholderUrl } from '../../lib/placeholder.ts'
import { keysOf } from '../../lib/shortcuts.ts'
import { endTypeAhead } from '../../lib/type-ahead.ts'
import { useDebounced } from '../../lib/use-debounced.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import styles from './palette.module.css'

export type PaletteCommand = {
  id: string
  label: string
  icon: IconName
  shortcut: string | null
  group: 'actions' | 'places'
  run: () => void
}

type PaletteProps = {
  commands: readonly PaletteCommand[]
  initial: string
  onOpenAsset: (id: number, q: string) => void
  onSearch: (q: string) => void
  onClose: () => void
}

type Entry = { key: string; run: () => void } & (
  | { kind: 'search'; q: string; result: SearchResult | undefined }
  | { kind: 'asset'; asset: AssetSummary }
  | { kind: 'command'; command: PaletteCommand }
)

const debounceMs = 120
const shownAssets = 7

/** One box for everything: assets as you type, what can be done with the selection, and where to go. */
export default function Palette({ commands, initial, onOpenAsset, onSearch, onClose }: PaletteProps): ReactNode {
  const id = useId()
  const [text, setText] = useState(initial)
  const [active, setActive] = useState(0)
  useLayoutEffect(() => {
    const ahead = endTypeAhead()
    if (ahead) setText(ahead)
  }, [])
  const typed = text.trim()
  const wanted = useDebounced(typed, debounceMs)
  const search = useQuery({
    queryKey: ['palette', wanted],
    // A newer query aborts the request of an older one.
    queryFn: async ({ signal }) =>
      (await api('searchAssets', { query: {}, body: { q: wanted, limit: shownAssets } }, { signal })).data,
    enabled: wanted !== '',
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
  const result = typed === '' ? undefined : search.data
  const entries = useMemo((): Entry[] => {
    const needle = typed.toLocaleLowerCase()
    const matching = commands.filter((command) => command.label.toLocaleLowerCase().includes(needle))
    const asEntry = (command: PaletteCommand): Entry => ({
      kind: 'command',
      key: command.id,
      command,
      run: command.run,
    })
    if (typed === '') return matching.map(asEntry)
    return [
      { kind: 'search', key: 'search', q: typed, result, run: () => onSearch(typed) },
      ...(result?.results ?? []).map((asset): Entry => ({
        kind: 'asset',
        key: `a${asset.id}`,
        asset,
        run: () => onOpenAsset(asset.id, typed),
      })),
      ...matching.map(asEntry),
    ]
  }, [commands, typed, result, onSearch, onOpenAsset])
  const current = Math.min(active, entries.length - 1)
  const choose = (entry: Entry | undefined): void => {
    if (!entry) return
    onClose()
    entry.run()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setActive((current + (event.key === 'ArrowDown' ? 1 : -1) + entries.length) % Math.max(1, entries.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      choose(entries[current])
    }
  }
  const names = assetTypeNames()
  let lastGroup = ''
  const groupOf = (entry: Entry): string =>
    entry.kind === 'command'
      ? entry.command.group === 'actions'
        ? t`Selected assets`
        : t`Go to`
      : entry.kind === 'asset'
        ? t`Assets`
        : ''
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup className={styles.popup} aria-label={t`Search and commands`}>
          <div className={styles.field}>
            <Icon name="search" />
            <input
              className={styles.input}
              autoFocus
              dir="auto"
              value={text}
              maxLength={500}
              role="combobox"
              aria-expanded="true"
              aria-controls={id}
              aria-autocomplete="list"
              aria-activedescendant={entries[current] ? `${id}-${current}` : undefined}
              aria-label={t`Search`}
              placeholder={t`Search titles, file names, tags, camera, place…`}
              onChange={(event) => {
                setText(event.target.value)
                setActive(0)
              }}
              onKeyDown={onKeyDown}
            />
            <span className={styles.busy} data-on={search.isFetching || undefined} />
            <button type="button" className={styles.esc} onClick={onClose}>
              {keysOf('escape')[0]}
            </button>
          </div>
          <div id={id} role="listbox" aria-label={t`Results`} className={styles.list}>
            {entries.map((entry, index) => {
              const group = groupOf(entry)
              const heading = group !== lastGroup ? group : ''
              lastGroup = group
              return (
                <div key={entry.key} role="presentation">
                  {heading && (
                    <div className={styles.group} role="presentation">
                      {heading}
                    </div>
                  )}
                  <div
                    id={`${id}-${index}`}
                    role="option"
                    aria-selected={index === current}
                    className={styles.option}
                    ref={index === current ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
                    onMouseMove={() => setActive(index)}
                    onClick={() => choose(entry)}
                  >
                    {entry.kind === 'search' && (
                      <>
                        <span className={styles.lead}>
                          <Icon name="gallery" />
                        </span>
                        <span className={styles.label}>
                          {t`Show in the gallery`} <bdi className={styles.query}>{entry.q}</bdi>
                        </span>
                        <span className={styles.note}>
                          {entry.result && wanted === typed
                            ? formatTotal(entry.result.count, entry.result.count_is_estimate)
                            : ''}
                        </span>
                      </>
                    )}
                    {entry.kind === 'asset' && (
                      <>
                        <span
                          className={styles.thumbnail}
                          style={{
                            backgroundImage: entry.asset.placeholder
                              ? `url("${placeholderUrl(entry.asset.placeholder) ?? ''}")`
                              : undefined,
                          }}
                        >
                          {entry.asset.thumbnail_url ? (
                            <img src={entry.asset.thumbnail_url} alt="" />
                          ) : (
                            <Icon name={entry.asset.type} />
                          )}
                        </span>
                        <span className={styles.label}>
                          <bdi>{entry.asset.label}</bdi>
                          {entry.asset.filename !== entry.asset.label && (
                            <bdi className={styles.filename}>{entry.asset.filename}</bdi>
                          )}
                        </span>
                        <span className={styles.note}>{names[entry.asset.type]}</span>
                      </>
                    )}
                    {entry.kind === 'command' && (
                      <>
                        <span className={styles.lead}>
                          <Icon name={entry.command.icon} />
                        </span>
                        <span className={styles.label}>{entry.command.label}</span>
                        {entry.command.shortcut && (
                          <kbd className={styles.note}>{keysOf(entry.command.shortcut).join(' ')}</kbd>
                        )}
                      </>
                    )}
                  </div>
                </div>
              )
            })}
            {entries.length === 0 && <p className={styles.none}>{t`Type to search.`}</p>}
          </div>
          <p className={styles.status} role="status">
            {search.error && typed !== ''
              ? search.error.message
              : result && wanted === typed && result.count === 0
                ? t`Nothing found. Try fewer or shorter words.`
                : ''}
          </p>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
