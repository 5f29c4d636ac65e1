import type { ReleaseView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { Tone } from './status.tsx'

/** States of the store as a person says them, each with its tone. */
export const verdictWords = (verdict: ReleaseView['verdict']): { word: string; tone: Tone } =>
  ({
    good: { word: t`Good`, tone: 'good' as const },
    bad: { word: t`Bad`, tone: 'bad' as const },
    quarantined: { word: t`Quarantined`, tone: 'bad' as const },
    unknown: { word: t`Not judged yet`, tone: 'neutral' as const },
  })[verdict]

export function deploymentWords(state: string): { word: string; tone: Tone } {
  const words: Record<string, { word: string; tone: Tone }> = {
    requested: { word: t`Requested`, tone: 'running' },
    gated: { word: t`Gates passed`, tone: 'running' },
    locked: { word: t`Has the lock`, tone: 'running' },
    'backed-up': { word: t`Backed up`, tone: 'running' },
    migrated: { word: t`Migrated`, tone: 'running' },
    started: { word: t`Started`, tone: 'running' },
    warm: { word: t`Warm`, tone: 'running' },
    'cut-over': { word: t`Cut over`, tone: 'running' },
    baking: { word: t`Baking`, tone: 'running' },
    good: { word: t`Good`, tone: 'good' },
    'rolling-back': { word: t`Rolling back`, tone: 'warning' },
    'rolled-back': { word: t`Rolled back`, tone: 'warning' },
    verified: { word: t`Rolled back and verified`, tone: 'good' },
    failed: { word: t`Failed`, tone: 'bad' },
    frozen: { word: t`Frozen`, tone: 'bad' },
    'waiting-for-person': { word: t`Waits for a person`, tone: 'warning' },
  }
  return words[state] ?? { word: state, tone: 'neutral' }
}

export const incidentWords = (state: 'open' | 'acknowledged' | 'resolved'): { word: string; tone: Tone } =>
  ({
    open: { word: t`Open`, tone: 'bad' as const },
    acknowledged: { word: t`Acknowledged`, tone: 'running' as const },
    resolved: { word: t`Resolved`, tone: 'good' as const },
  })[state]
