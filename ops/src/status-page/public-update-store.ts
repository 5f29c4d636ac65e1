import { addIncidentEvent } from '../incidents/incident-store.ts'
import type { Store } from '../store.ts'

export type PublicState = 'investigating' | 'identified' | 'watching' | 'resolved'
export type PublicUpdate = { id: number; at: string; state: PublicState; text: string; by: string }
/** What the public reads; nothing else of an incident ever leaves the console. */
export type PublicIncident = {
  id: number
  environment: string
  title: string
  openedAt: string
  /** Also true when the incident was resolved without another word to the public. */
  isOver: boolean
  updates: PublicUpdate[]
}

const updateColumns = 'id, at, state, text, by_whom as "by"'

export const findPublicIncident = (store: Store, incidentId: number): { title: string } | undefined =>
  store.row<{ title: string }>('select title from public_incident where incident_id = ?', incidentId)

/** Oldest first. */
export const listPublicUpdates = (store: Store, incidentId: number): PublicUpdate[] =>
  store.rows<PublicUpdate>(`select ${updateColumns} from public_update where incident_id = ? order by id`, incidentId)

/** Tells the public; the first update names the incident. Call in the transaction of the deed. Gives the update's number. */
export function addPublicUpdate(
  store: Store,
  update: { incidentId: number; title?: string | undefined; state: PublicState; text: string; by: string; now: Date },
): number {
  return store.transaction(() => {
    if (update.title !== undefined)
      store.run(
        `insert into public_incident (incident_id, title) values (?, ?) on conflict (incident_id) do update set title = excluded.title`,
        update.incidentId,
        update.title,
      )
    const id = store.insert(
      'insert into public_update (incident_id, at, state, text, by_whom) values (?, ?, ?, ?, ?)',
      update.incidentId,
      update.now.toISOString(),
      update.state,
      update.text,
      update.by,
    )
    addIncidentEvent(store, update.incidentId, {
      kind: 'public-update',
      who: update.by,
      message: `told the public (${update.state}): ${update.text}`,
      now: update.now,
    })
    return id
  })
}

/** Of the environments that are public: those that are open, and those with an update since; newest first. */
export const listPublicIncidents = (store: Store, environments: readonly string[], since: Date): PublicIncident[] =>
  store
    .rows<{ id: number; environment: string; title: string; openedAt: string; state: string }>(
      `select i.id, i.environment, p.title, i.opened_at as openedAt, i.state from public_incident p
         join incident i on i.id = p.incident_id
       where i.environment in (select value from json_each(?))
         and (i.state <> 'resolved' or exists (select 1 from public_update u where u.incident_id = i.id and u.at >= ?))
       order by i.id desc limit 100`,
      JSON.stringify(environments),
      since.toISOString(),
    )
    .map(({ state, ...incident }) => {
      const updates = listPublicUpdates(store, incident.id)
      return { ...incident, updates, isOver: state === 'resolved' || updates.at(-1)?.state === 'resolved' }
    })
