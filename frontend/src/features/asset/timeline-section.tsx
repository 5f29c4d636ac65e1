import type { Asset, Timeline } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { api } from '../../lib/api.ts'
import { formatDateTime, formatDuration } from '../../lib/format.ts'
import { showToast } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'
import { timelineOptions } from './asset-query.ts'
import styles from './timeline-section.module.css'

type Entry = Timeline['entries'][number]
type StageName = 'identify' | 'metadata' | 'previews' | 'index'

function entryName(entry: Entry): string {
  const names: Record<string, string> = {
    identify: t`Identify`,
    metadata: t`Read metadata`,
    previews: t`Make previews`,
    index: t`Make findable`,
    'asset.created': t`Added`,
    'asset.previewed': t`Preview ready`,
    'asset.ready': t`Ready`,
    'asset.failed': t`Failed`,
    'asset.updated': t`Changed`,
    'asset.trashed': t`Moved to the trash`,
    'asset.restored': t`Restored`,
  }
  return names[entry.name] ?? entry.name
}

const isStage = (name: string): name is StageName =>
  name === 'identify' || name === 'metadata' || name === 'previews' || name === 'index'

/** Everything that happened to an asset: each step with how long it took and how it ended. Steps can be run again. */
export function TimelineSection({ asset, mayReplay }: { asset: Asset; mayReplay: boolean }): ReactNode {
  const [open, setOpen] = useState(false)
  const timeline = useQuery({ ...timelineOptions(asset.id), enabled: open })
  const replay = useMutation({
    mutationFn: async (from: StageName) => api('replayIngest', { params: { id: asset.id }, body: { from } }),
    onSuccess: () => showToast({ message: t`Processing again` }),
    onError: (error) => showToast({ tone: 'danger', message: t`Could not process it again`, detail: error.message }),
  })
  return (
    <details className={styles.timeline} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t`Timeline`}</summary>
      {timeline.error && <p role="alert">{timeline.error.message}</p>}
      <ol className={styles.entries} aria-busy={timeline.isPending && open}>
        {(timeline.data?.entries ?? []).map((entry, index) => (
          <li
            key={index}
            data-outcome={
              entry.error ? 'failed' : entry.ended_at === null && entry.kind === 'stage' ? 'running' : 'done'
            }
          >
            <span className={styles.name}>
              {entryName(entry)}
              {entry.attempt !== null && entry.attempt > 1 && (
                <span className={styles.faint}> {t`attempt ${entry.attempt}`}</span>
              )}
            </span>
            <span className={styles.duration}>
              {entry.duration_ms === null ? '' : formatDuration(entry.duration_ms)}
            </span>
            <span className={styles.when}>
              {formatDateTime(entry.started_at)}
              {entry.actor && <bdi> · {entry.actor}</bdi>}
              {entry.kind === 'stage' && entry.outcome && <> · {entry.outcome}</>}
            </span>
            {entry.error && <span className={styles.error}>{entry.error}</span>}
            {mayReplay && entry.kind === 'stage' && isStage(entry.name) && asset.status !== 'processing' && (
              <Button
                className={styles.replay}
                icon="retry"
                disabled={replay.isPending}
                onClick={() => isStage(entry.name) && replay.mutate(entry.name)}
              >
                {t`Run again from here`}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </details>
  )
}
