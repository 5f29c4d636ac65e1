import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { formatDay, formatTime, formatTimeRange } from '../lib/format.ts'
import { maintenanceOptions, type MaintenanceWindow } from '../lib/maintenance.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import styles from './maintenance-banner.module.css'

const dismissedKey = 'dam.maintenance.dismissed'

/** What is maintained now, or the next window; the latter can be dismissed, once for each window. */
export function MaintenanceBanner(): ReactNode {
  const { data } = useQuery(maintenanceOptions)
  const [dismissed, setDismissed] = useState(() => localStorage.getItem(dismissedKey))
  const { current = null, upcoming = null } = data ?? {}
  const shown = current ?? (upcoming && upcoming.starts_at !== dismissed ? upcoming : null)
  // Whoever reads the page while it begins hears it.
  useEffect(() => setDismissed(localStorage.getItem(dismissedKey)), [upcoming?.starts_at])
  return (
    <div role="status" className={styles.banner} data-now={current !== null || undefined}>
      {shown && (
        <>
          <Icon name={current ? 'warning' : 'clock'} size={16} />
          <p>
            {current ? nowText(current) : comingText(shown)} <bdi className={styles.reason}>{shown.reason}</bdi>
          </p>
          {!current && (
            <IconButton
              icon="close"
              size={16}
              tip="end"
              label={t`Dismiss`}
              onClick={() => {
                localStorage.setItem(dismissedKey, shown.starts_at)
                setDismissed(shown.starts_at)
              }}
            />
          )}
        </>
      )}
    </div>
  )
}

function nowText({ mode, ends_at }: MaintenanceWindow): string {
  const end = formatTime(ends_at)
  return mode === 'full'
    ? t`DAM is in maintenance until about ${end}.`
    : t`DAM is read-only for maintenance until about ${end}. Uploads go on by themselves afterwards.`
}

function comingText({ mode, starts_at, ends_at }: MaintenanceWindow): string {
  const [day, times] = [formatDay(starts_at), formatTimeRange(starts_at, ends_at)]
  return mode === 'full'
    ? t`Maintenance on ${day}, ${times}: DAM cannot be used while the work is under way.`
    : t`Maintenance on ${day}, ${times}: DAM is read-only while the work is under way.`
}
