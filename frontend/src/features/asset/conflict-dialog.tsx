import { t } from '@lingui/core/macro'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import type { Draft } from './edit-draft.ts'
import type { OpenConflict } from './use-autosave.ts'
import styles from './conflict-dialog.module.css'

/** Both versions side by side, field by field; nothing is thrown away without being chosen. */
export function ConflictDialog({
  conflict,
  onResolve,
}: {
  conflict: OpenConflict
  onResolve: (draft: Draft) => void
}): ReactNode {
  const [choices, setChoices] = useState<Record<string, 'mine' | 'theirs'>>({})
  const names: Record<string, string> = { label: t`Title`, description: t`Description`, tags: t`Tags` }
  const finish = (): void => {
    const chosen: Draft = { ...conflict.merged }
    for (const { field, theirs } of conflict.conflicts)
      if (choices[field] === 'theirs' && field !== 'tags') chosen[field] = theirs as string
    onResolve(chosen)
  }
  return (
    <Dialog
      title={t`Someone else changed this meanwhile`}
      description={t`Choose what to keep. Everything else of both changes is kept.`}
      size="medium"
      onClose={finish}
    >
      {conflict.conflicts.map(({ field, mine, theirs }) => (
        <fieldset key={field} className={styles.field}>
          <legend>{names[field]}</legend>
          {(['mine', 'theirs'] as const).map((side) => (
            // oxlint-disable-next-line jsx-a11y/label-has-associated-control -- the texts are in the spans
            <label key={side} className={styles.choice}>
              <input
                type="radio"
                name={field}
                checked={(choices[field] ?? 'mine') === side}
                onChange={() => setChoices((now) => ({ ...now, [field]: side }))}
              />
              <span>
                <strong>{side === 'mine' ? t`Yours` : t`Theirs`}</strong>
                <span className={styles.text} dir="auto">
                  {String(side === 'mine' ? mine : theirs) || t`(empty)`}
                </span>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
      <DialogActions>
        <Button look="primary" onClick={finish}>{t`Save`}</Button>
      </DialogActions>
    </Dialog>
  )
}
