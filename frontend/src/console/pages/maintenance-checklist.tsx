import type { MaintenanceDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api } from '../lib/api.ts'
import gates from '../parts/gate-list.module.css'
import { Status } from '../parts/status.tsx'
import { lineWords, listWords } from './maintenance-words.ts'
import { ReasonDialog } from './reason-dialog.tsx'

type Line = MaintenanceDetail['checklist'][number]

/** The runbook's three lists; a line that only a person can know can be vouched for. */
export function MaintenanceChecklist({
  window,
  mayVouch,
}: {
  window: MaintenanceDetail
  mayVouch: boolean
}): ReactNode {
  const client = useQueryClient()
  const [vouched, setVouched] = useState<Line | null>(null)
  const { id, checklist } = window
  return (
    <>
      {(['before', 'during', 'after'] as const).map((list) => (
        <Panel key={list} title={listWords(list)}>
          <ol className={gates.gates}>
            {checklist
              .filter((line) => line.list === list)
              .map((line) => {
                const { word, tone } = lineWords(line.state)
                const isOpen = line.state === 'attestation-missing' || line.state === 'unknown'
                return (
                  <li key={line.item}>
                    <div className={gates.head}>
                      <strong>{line.title}</strong>
                      <Status tone={tone}>{word}</Status>
                    </div>
                    {line.state !== 'waiting' && <p className={gates.evidence}>{line.evidence}</p>}
                    {mayVouch && isOpen && (
                      <Button look="outline" onClick={() => setVouched(line)} aria-label={t`Vouch for “${line.title}”`}>
                        {t`Vouch…`}
                      </Button>
                    )}
                  </li>
                )
              })}
          </ol>
        </Panel>
      ))}
      {vouched && (
        <ReasonDialog
          title={vouched.title}
          description={t`Your name and what you saw are kept with the window.`}
          label={t`What was seen`}
          submit={t`Vouch`}
          work={async (note) =>
            void (await api('attestMaintenance', { params: { id }, body: { item: vouched.item, note } }))
          }
          onClose={() => {
            setVouched(null)
            void client.invalidateQueries({ queryKey: ['maintenance'] })
          }}
        />
      )}
    </>
  )
}
