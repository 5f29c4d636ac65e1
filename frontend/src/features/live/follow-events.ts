import type { AssetSummary, DamEvent } from '@dam/contract/types'
import { pathOf } from '@dam/contract/client'
import type { QueryClient } from '@tanstack/react-query'
import { api } from '../../lib/api.ts'
import {
  assetListOptions,
  detailKey,
  fetchPage,
  listKey,
  mergeFirstPage,
  overlaps,
  patchPages,
  removeFromPages,
  timelineKey,
  updateLists,
  type AssetPages,
  type PagePosition,
} from '../../lib/asset-lists.ts'
import { arrivals, presence } from '../../lib/gallery-presence.ts'
import { defaultOrdering, needsSearch } from '../../lib/gallery-query.ts'
import { planUpdate, type UpdatePlan } from './plan-update.ts'

const gatherMs = 350
const reconnectMs = 2_000
/** Events after a gap that are worth following one by one. */
const longestCatchUp = 5_000
/** From this many changed assets on one page, the page is read instead of each asset. */
const pageThreshold = 4

/**
 * Keeps the query cache in step with the server: one event stream, changes gathered and read in batches. Only what is
 * loaded is read again. After a gap that the stream could not fill, lists are read anew.
 */
export function followEvents(client: QueryClient): () => void {
  let waiting: DamEvent[] = []
  let timer: ReturnType<typeof setTimeout> | null = null
  let flushing = false
  let last = 0
  let source: EventSource | null = null
  let reconnect: ReturnType<typeof setTimeout> | null = null
  let stopped = false

  const flush = async (): Promise<void> => {
    timer = null
    if (flushing) return schedule()
    flushing = true
    const events = waiting
    waiting = []
    try {
      await applyPlan(client, planUpdate(events))
    } catch {
      // The server went away between event and read: the stream ends too, and reconnecting reads lists again.
    } finally {
      flushing = false
    }
  }
  const schedule = (): void => {
    timer ??= setTimeout(() => void flush(), gatherMs)
  }
  const receive = (message: MessageEvent<string>): void => {
    const event = JSON.parse(message.data) as DamEvent
    if (event.seq <= last) return
    last = event.seq
    waiting.push(event)
    schedule()
  }
  const open = (): void => {
    if (stopped) return
    source = new EventSource(pathOf('streamEvents', {}, last > 0 ? { after: last } : {}))
    for (const kind of eventKinds) source.addEventListener(kind, receive)
    source.addEventListener('hello', (message: MessageEvent<string>) => {
      const hello = JSON.parse(message.data) as { last: number }
      // Too much happened meanwhile to go through one by one.
      if (last > 0 && hello.last - last > longestCatchUp) {
        last = hello.last
        void readAnew(client)
      } else if (last === 0) last = hello.last
    })
    source.onerror = () => {
      // A connection that was refused is closed for good by the browser; one that broke is retried by it.
      if (source?.readyState !== EventSource.CLOSED || stopped) return
      source.close()
      reconnect = setTimeout(open, reconnectMs)
    }
  }
  open()
  // What arrived while no gallery was on screen is looked for as soon as one is.
  const forgetPresence = presence.subscribe(() => {
    if (missedArrivals && presence.get()) {
      missedArrivals = false
      void readArrivals(client).catch(() => undefined)
    }
  })
  return () => {
    stopped = true
    forgetPresence()
    source?.close()
    if (timer) clearTimeout(timer)
    if (reconnect) clearTimeout(reconnect)
  }
}

let missedArrivals = false

const eventKinds: readonly DamEvent['kind'][] = [
  'asset.created',
  'asset.previewed',
  'asset.ready',
  'asset.failed',
  'asset.updated',
  'asset.trashed',
  'asset.restored',
  'asset.purged',
  'collection.changed',
  'task.changed',
]

async function readAnew(client: QueryClient): Promise<void> {
  client.removeQueries({ queryKey: [listKey], type: 'inactive' })
  await client.resetQueries({ queryKey: [listKey], type: 'active' })
  await client.invalidateQueries({ queryKey: ['collections'] })
}

async function applyPlan(client: QueryClient, plan: UpdatePlan): Promise<void> {
  if (plan.gone.size > 0) {
    for (const [key] of client.getQueriesData<AssetPages>({ queryKey: [listKey, 'library'] }))
      client.setQueryData<AssetPages>(key, (data) => (data ? removeFromPages(data, plan.gone) : data))
  }
  if (plan.purged.size > 0) updateLists(client, (data) => removeFromPages(data, plan.purged))
  if (plan.untrashed.size > 0) {
    for (const [key] of client.getQueriesData<AssetPages>({ queryKey: [listKey, 'trash'] }))
      client.setQueryData<AssetPages>(key, (data) => (data ? removeFromPages(data, plan.untrashed) : data))
  }
  if (plan.collectionsChanged) void client.invalidateQueries({ queryKey: ['collections'] })
  for (const id of plan.tasks) void client.invalidateQueries({ queryKey: ['task', id] })
  for (const id of plan.changed) {
    if (client.getQueryData(detailKey(id)) !== undefined) {
      void client.invalidateQueries({ queryKey: detailKey(id) })
      void client.invalidateQueries({ queryKey: timelineKey(id) })
    }
  }
  await readChanged(client, plan.changed)
  if (plan.mayHaveArrived) await readArrivals(client)
}

/** Reads changed assets that some list shows, by page where many of one page changed. */
async function readChanged(client: QueryClient, changed: ReadonlySet<number>): Promise<void> {
  if (changed.size === 0) return
  const newer = new Map<number, AssetSummary>()
  const wanted = new Set<number>()
  const now = presence.get()
  const activeKey = now ? JSON.stringify(assetListOptions(now.query).queryKey) : ''
  for (const [key, data] of client.getQueriesData<AssetPages>({ queryKey: [listKey] })) {
    if (!data) continue
    for (const [index, page] of data.pages.entries()) {
      const affected = page.results.filter((asset) => changed.has(asset.id) && !newer.has(asset.id))
      if (affected.length === 0) continue
      if (affected.length >= pageThreshold && now && JSON.stringify(key) === activeKey) {
        const fresh = await fetchPage(now.query, data.pageParams[index] as PagePosition)
        for (const asset of fresh.results) newer.set(asset.id, asset)
      }
      for (const asset of affected) if (!newer.has(asset.id)) wanted.add(asset.id)
    }
  }
  const single = [...wanted].filter((id) => !newer.has(id))
  for (let start = 0; start < single.length; start += 6) {
    const answers = await Promise.allSettled(
      single.slice(start, start + 6).map((id) => api('getAsset', { params: { id } })),
    )
    for (const answer of answers) if (answer.status === 'fulfilled') newer.set(answer.value.data.id, answer.value.data)
  }
  updateLists(client, (data) => patchPages(data, newer))
}

/** New assets go to the top of a gallery that shows the newest first and its top; otherwise they are announced. */
async function readArrivals(client: QueryClient): Promise<void> {
  const now = presence.get()
  client.removeQueries({ queryKey: [listKey], type: 'inactive' })
  void client.invalidateQueries({ queryKey: ['collections'] })
  if (!now) missedArrivals = true
  if (!now || now.query.trash) return
  const key = assetListOptions(now.query).queryKey
  const data = client.getQueryData<AssetPages>(key)
  if (!data) return
  const fresh = await fetchPage(now.query, needsSearch(now.query) ? 0 : '')
  const known = new Set(data.pages.flatMap((page) => page.results.map((asset) => asset.id)))
  const added = fresh.results.filter((asset) => !known.has(asset.id))
  const newestFirst = !needsSearch(now.query) && (now.query.sort === '' || now.query.sort === defaultOrdering)
  const stillThere = presence.get()
  if (stillThere?.query !== now.query) return
  const isShort = data.pages.length === 1 && data.pages[0]!.results.length < 60
  if ((stillThere.atTop && newestFirst) || isShort) {
    if (overlaps(data, fresh))
      client.setQueryData<AssetPages>(key, (current) =>
        current
          ? newestFirst
            ? mergeFirstPage(current, fresh)
            : { pages: [fresh], pageParams: current.pageParams.slice(0, 1) }
          : current,
      )
    else
      client.setQueryData<AssetPages>(key, (current) =>
        current ? { pages: [fresh], pageParams: current.pageParams.slice(0, 1) } : current,
      )
    arrivals.set({ count: 0, more: false })
  } else if (added.length > 0)
    arrivals.set({ count: added.length, more: newestFirst && added.length === fresh.results.length })
  else if (fresh.count > (data.pages[0]?.count ?? 0))
    arrivals.set({ count: fresh.count - data.pages[0]!.count, more: false })
}
