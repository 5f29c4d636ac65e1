import type { Message } from '../notify/message.ts'
import { enqueue } from '../notify/outbox-store.ts'
import type { Store } from '../store.ts'
import type { PublicState } from './public-update-store.ts'
import { listSubscribers } from './subscription-store.ts'
import { type Locale, words } from './words.ts'

export type Telling = {
  /** Of the service, as the policy has it. */
  name: string
  /** Of the ops process as people reach it. */
  baseUrl: string
  now: Date
}

const leaveUrl = ({ baseUrl }: Telling, token: string): string => `${baseUrl}/status/leave?token=${token}`

/** One mail for each confirmed subscriber, in their language. Call in the transaction of the update. */
export function tellSubscribers(
  store: Store,
  update: { id: number; incidentId: number; title: string; state: PublicState; text: string },
  telling: Telling,
): void {
  for (const { email, locale, leave } of listSubscribers(store)) {
    const say = words[locale]
    const message: Message = {
      event: 'status-update',
      subject: `status:${update.incidentId}`,
      severity: null,
      title: `${telling.name}: ${update.title} – ${say.updates[update.state]}`,
      text: update.text,
      facts: [],
      links: [
        { label: say.pageLink, url: `${telling.baseUrl}/status?lang=${locale}` },
        { label: say.leaveLink, url: leaveUrl(telling, leave) },
      ],
      environment: null,
      isResolution: false,
      unsubscribeUrl: leaveUrl(telling, leave),
      at: telling.now.toISOString(),
    }
    enqueue(store, message, { channels: [`email:${email}`], key: `update-${update.id}`, now: telling.now })
  }
}

/** The mail that asks whether the address is really theirs. */
export function askForConfirmation(
  store: Store,
  ask: { email: string; locale: Locale; confirm: string; leave: string },
  telling: Telling,
): void {
  const say = words[ask.locale]
  const message: Message = {
    event: 'status-confirm',
    subject: `status-confirm:${ask.leave.slice(0, 12)}`,
    severity: null,
    title: say.confirmMailTitle(telling.name),
    text: say.confirmMailText(telling.name),
    facts: [],
    links: [{ label: say.confirmLink, url: `${telling.baseUrl}/status/confirm?token=${ask.confirm}` }],
    environment: null,
    isResolution: false,
    unsubscribeUrl: leaveUrl(telling, ask.leave),
    at: telling.now.toISOString(),
  }
  enqueue(store, message, { channels: [`email:${ask.email}`], key: telling.now.toISOString(), now: telling.now })
}
