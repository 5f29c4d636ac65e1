import { plural, t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import type { AssetTarget } from '../../lib/dialogs.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { TagInput } from '../../ui/tag-input.tsx'
import styles from './edit-tags-dialog.module.css'

type EditTagsDialogProps = {
  target: AssetTarget
  mode: 'add' | 'remove'
  suggestions: string[]
  run: (tags: string[]) => Promise<void>
  onClose: () => void
}

export default function EditTagsDialog({ target, mode, suggestions, run, onClose }: EditTagsDialogProps): ReactNode {
  const [tags, setTags] = useState<string[]>([])
  const work = useMutation({ mutationFn: () => run(tags), onSuccess: onClose })
  const title =
    mode === 'add'
      ? plural(target.count, { one: 'Add tags to # asset', other: 'Add tags to # assets' })
      : plural(target.count, { one: 'Remove tags from # asset', other: 'Remove tags from # assets' })
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (tags.length > 0) work.mutate()
        }}
      >
        {mode === 'add' || suggestions.length === 0 ? (
          <TagInput
            tags={tags}
            onChange={setTags}
            label={t`Tags`}
            autoFocus
            placeholder={t`Type a tag and press Enter`}
          />
        ) : (
          <div className={styles.choices} role="group" aria-label={t`Tags`}>
            {suggestions.map((tag) => (
              <label key={tag} className={styles.choice}>
                <input
                  type="checkbox"
                  checked={tags.includes(tag)}
                  onChange={() =>
                    setTags((now) => (now.includes(tag) ? now.filter((other) => other !== tag) : [...now, tag]))
                  }
                />
                <bdi>{tag}</bdi>
              </label>
            ))}
          </div>
        )}
        <DialogActions error={work.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={work.isPending || tags.length === 0}>
            {mode === 'add' ? t`Add` : t`Remove`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
