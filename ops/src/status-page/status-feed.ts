import { html } from './html.ts'
import type { StatusView } from './status-view.ts'
import { words } from './words.ts'

/** Atom (RFC 4287): an entry for each update, newest first. Ids stay when the feed is made again. */
export function statusFeed(status: StatusView, options: { name: string; baseUrl: string }): string {
  const say = words.en
  const host = new URL(options.baseUrl).hostname
  const entries = status.incidents
    .flatMap((incident) => incident.updates.map((update) => ({ incident, update })))
    .toSorted((a, b) => b.update.id - a.update.id)
  return `<?xml version="1.0" encoding="utf-8"?>\n${
    html`<feed xmlns="http://www.w3.org/2005/Atom"
      ><title>${options.name} status</title><id>tag:${host},2025:dam-status</id
      ><updated>${entries[0]?.update.at ?? status.at}</updated
      ><link rel="self" href="${options.baseUrl}/status.atom" /><link href="${options.baseUrl}/status" /><author
        ><name>${options.name}</name></author
      >${entries.map(
        ({ incident, update }) =>
          html`<entry
            ><id>tag:${host},2025:dam-status/${update.id}</id
            ><title>${incident.title}: ${say.updates[update.state]}</title><updated>${update.at}</updated
            ><link href="${options.baseUrl}/status" /><content type="text">${update.text}</content></entry
          >`,
      )}</feed
    > `.html
  }`
}

/** The same for machines. Names and words of the public page only. */
export const statusJson = (status: StatusView): object => ({
  at: status.at,
  state: status.state,
  systems: status.systems.map(({ name, state, uptime }) => ({
    name,
    state,
    uptime_90_days: uptime.up,
    days: uptime.days.map(({ day, up, downSeconds }) => ({ day, up, down_seconds: downSeconds })),
  })),
  incidents: status.incidents.map((incident) => ({
    id: incident.id,
    system: incident.environment,
    title: incident.title,
    opened_at: incident.openedAt,
    is_over: incident.isOver,
    updates: incident.updates.map(({ at, state, text }) => ({ at, state, text })),
  })),
  maintenance: status.windows,
})
