import type { MaintenanceDetail, MaintenanceWindowView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { formatDay, formatTime, formatTimeRange } from '../../lib/format.ts'
import type { Tone } from '../parts/status.tsx'

export const windowWords = (state: MaintenanceWindowView['state']): { word: string; tone: Tone } =>
  ({
    scheduled: { word: t`Planned`, tone: 'neutral' as const },
    active: { word: t`Under way`, tone: 'warning' as const },
    ended: { word: t`Over`, tone: 'good' as const },
    cancelled: { word: t`Cancelled`, tone: 'neutral' as const },
  })[state]

export const lineWords = (state: MaintenanceDetail['checklist'][number]['state']): { word: string; tone: Tone } =>
  ({
    pass: { word: t`Met`, tone: 'good' as const },
    attested: { word: t`Vouched for`, tone: 'good' as const },
    fail: { word: t`Open`, tone: 'bad' as const },
    unknown: { word: t`Not known`, tone: 'warning' as const },
    waiting: { word: t`Not yet`, tone: 'neutral' as const },
    'attestation-missing': { word: t`Needs a person`, tone: 'warning' as const },
  })[state]

export const listWords = (list: MaintenanceDetail['checklist'][number]['list']): string =>
  ({ before: t`Before`, during: t`During`, after: t`After` })[list]

/** Day and both times, in the reader's zone. */
export function spanWords({ startsAt, endsAt }: Pick<MaintenanceWindowView, 'startsAt' | 'endsAt'>): string {
  const [day, endDay] = [formatDay(startsAt), formatDay(endsAt)]
  return endDay === day
    ? `${day}, ${formatTimeRange(startsAt, endsAt)}`
    : `${day}, ${formatTime(startsAt)} – ${endDay}, ${formatTime(endsAt)}`
}

/** How far telling people of a window has come. */
export function noticeWords({ notices }: MaintenanceWindowView): string {
  const sent = notices.filter(({ sentAt, outcome }) => sentAt !== null && outcome !== 'superseded')
  const next = notices.find(({ sentAt }) => sentAt === null)
  if (sent.length === 0) return next ? t`users are told on ${formatDay(next.dueAt)}` : t`users were not told`
  const isShort = sent.some(({ outcome }) => outcome === 'short-notice')
  return isShort ? t`users were told, at short notice` : t`users were told`
}
