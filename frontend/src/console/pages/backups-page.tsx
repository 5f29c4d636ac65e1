import type { BackupView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatBytes, formatCount, formatDateTime, formatWait } from '../../lib/format.ts'
import { formatLength } from '../parts/format-length.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Notice } from '../../ui/notice.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { CommandProgress } from '../parts/command-progress.tsx'
import { ConfirmByName } from '../parts/confirm-by-name.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import rows from '../parts/rows.module.css'
import { Status, type Tone } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'

const backupWords = (state: string): { word: string; tone: Tone } =>
  ({
    running: { word: t`Running`, tone: 'running' as const },
    ok: { word: t`Complete`, tone: 'good' as const },
    verified: { word: t`Verified`, tone: 'good' as const },
    failed: { word: t`Failed`, tone: 'bad' as const },
    corrupt: { word: t`Damaged`, tone: 'bad' as const },
  })[state] ?? { word: state, tone: 'neutral' }

export default function BackupsPage(): ReactNode {
  const [environment] = useSearch('environment')
  const environments = useEnvironments()
  const target = environment || (environments?.[0]?.name ?? '')
  const backups = useQuery(read('backups', 'listBackups', { query: environment ? { environment } : {} }))
  const mayBackUp = useMay('operator')
  const mayRestore = useMay('administrator')
  const [action, setAction] = useState<number | null>(null)
  const [restoring, setRestoring] = useState<BackupView | null>(null)
  const start = useMutation({
    mutationFn: async (work: () => Promise<{ data: { action: number } }>) => (await work()).data,
    onSuccess: (started) => setAction(started.action),
  })
  return (
    <ConsolePage
      title={t`Backups`}
      lead={t`Database and originals at one moment, checksummed. Restoring goes into a database beside the live one first.`}
      tools={
        <>
          <ChooseEnvironment all />
          {mayBackUp && target !== '' && (
            <Button
              look="primary"
              icon="database"
              disabled={start.isPending}
              onClick={() => start.mutate(() => api('startBackup', { body: { environment: target } }))}
            >
              {t`Back up ${target} now`}
            </Button>
          )}
        </>
      }
    >
      {start.error && <p role="alert">{start.error.message}</p>}
      {action !== null && <CommandProgress action={action} />}
      <Answer query={backups}>
        {({ results }) =>
          results.length === 0 ? (
            <Notice
              icon="database"
              level={2}
              title={t`There is no backup yet`}
              message={t`One takes seconds for a small library and does not stop anything.`}
            />
          ) : (
            <ul className={rows.rows}>
              {results.map((backup) => {
                const { word, tone } = backupWords(backup.state)
                const isGood = backup.state === 'ok' || backup.state === 'verified'
                return (
                  <li key={backup.id} className={rows.row}>
                    <span className={rows.main}>
                      <strong>{formatDateTime(backup.startedAt)}</strong>
                      <Status tone={tone}>{word}</Status>
                      <span>{backup.environment}</span>
                    </span>
                    <span className={rows.note}>
                      {[
                        backup.message,
                        backup.sizeBytes > 0 && formatBytes(backup.sizeBytes),
                        countOf(backup, 'originals', (count) => t`${count} originals`),
                        countOf(backup, 'rows', (count) => t`${count} rows`),
                        t`schema ${backup.schemaNumber}`,
                        backup.endedAt &&
                          t`took ${formatLength(Date.parse(backup.endedAt) - Date.parse(backup.startedAt))}`,
                      ]
                        .filter(Boolean)
                        .join(' · ')}
                    </span>
                    <span className={rows.side}>
                      {mayBackUp && isGood && (
                        <Button
                          look="outline"
                          onClick={() => start.mutate(() => api('verifyBackup', { params: { id: backup.id } }))}
                          aria-label={t`Verify the backup of ${formatDateTime(backup.startedAt)}`}
                        >
                          {t`Verify`}
                        </Button>
                      )}
                      {mayRestore && isGood && (
                        <Button
                          look="outline"
                          onClick={() => setRestoring(backup)}
                          aria-label={t`Restore the backup of ${formatDateTime(backup.startedAt)}`}
                        >
                          {t`Restore…`}
                        </Button>
                      )}
                    </span>
                  </li>
                )
              })}
            </ul>
          )
        }
      </Answer>
      {restoring && <RestoreDialog backup={restoring} onStarted={setAction} onClose={() => setRestoring(null)} />}
    </ConsolePage>
  )
}

function countOf(backup: BackupView, name: string, say: (count: string) => string): string | false {
  const value = backup.facts[name]
  return typeof value === 'number' && say(formatCount(value))
}

function RestoreDialog({
  backup,
  onStarted,
  onClose,
}: {
  backup: BackupView
  onStarted: (action: number) => void
  onClose: () => void
}): ReactNode {
  const { environment } = backup
  const plan = useQuery(read('restore-plan', 'planRestore', { params: { id: backup.id }, query: { environment } }))
  const restore = useMutation({
    mutationFn: async (confirm: string) =>
      (await api('startRestore', { params: { id: backup.id }, body: { environment, confirm } })).data,
    onSuccess: ({ action }) => {
      onStarted(action)
      onClose()
    },
  })
  return (
    <Dialog
      title={t`Restore ${environment}`}
      size="medium"
      description={t`The backup is restored beside the live database, compared row by row, and only then takes its place. The one before is kept for 7 days.`}
      onClose={onClose}
    >
      {plan.data && (
        <Facts>
          <Fact name={t`Goes back to`}>
            {formatDateTime(plan.data.losesSince)} (<When at={plan.data.losesSince} />)
          </Fact>
          <Fact name={t`Loses`}>{t`what was changed in the database since then; originals stay`}</Fact>
          <Fact name={t`Takes about`}>
            {plan.data.predictedSeconds === null
              ? t`not known: no restore drill has passed yet`
              : formatWait(plan.data.predictedSeconds)}
          </Fact>
        </Facts>
      )}
      <ConfirmByName
        name={environment}
        submit={t`Restore`}
        asksReason={false}
        isPossible={plan.data !== undefined}
        isPending={restore.isPending}
        error={restore.error?.message ?? plan.error?.message ?? null}
        onConfirm={({ confirm }) => restore.mutate(confirm)}
        onClose={onClose}
      />
    </Dialog>
  )
}
