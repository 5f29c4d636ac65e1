import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { HealthReport } from '../../features/administration/health-report.tsx'
import { useTitle } from '../../lib/use-title.ts'
import { PlainPage } from '../../ui/panel.tsx'

export default function HealthRoute(): ReactNode {
  useTitle(t`Health`)
  return (
    <PlainPage title={t`Health`}>
      <HealthReport />
    </PlainPage>
  )
}
