import { plural, t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { api } from '../../lib/api.ts'
import { queryClient } from '../../lib/query-client.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { collectionsOptions } from './collection-queries.ts'
import styles from './choose-collection-dialog.module.css'

type ChooseCollectionDialogProps = {
  count: number
  run: (collection: { id: number; name: string }) => Promise<void>
  onClose: () => void
}

export default function ChooseCollectionDialog({ count, run, onClose }: ChooseCollectionDialogProps): ReactNode {
  const collections = useQuery(collectionsOptions)
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState<number | null>(null)
  const wanted = text.trim().toLocaleLowerCase()
  const found = (collections.data ?? []).filter((collection) => collection.path.toLocaleLowerCase().includes(wanted))
  const exists = found.some((collection) => collection.name.toLocaleLowerCase() === wanted)
  const selected =
    found.find((collection) => collection.id === chosen) ?? (wanted && found.length === 1 ? found[0] : undefined)
  const work = useMutation({
    mutationFn: async () => {
      if (selected) return run(selected)
      const { data } = await api('createCollection', { body: { name: text.trim(), parent: null } })
      await queryClient.invalidateQueries({ queryKey: ['collections'] })
      return run(data)
    },
    onSuccess: onClose,
  })
  const willCreate = !selected && wanted !== '' && !exists
  return (
    <Dialog
      title={plural(count, { one: 'Add # asset to a collection', other: 'Add # assets to a collection' })}
      onClose={onClose}
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (selected || willCreate) work.mutate()
        }}
      >
        <input
          className={styles.search}
          autoFocus
          dir="auto"
          value={text}
          maxLength={255}
          placeholder={t`Find or name a collection`}
          aria-label={t`Find or name a collection`}
          onChange={(event) => setText(event.target.value)}
        />
        <div className={styles.list} role="radiogroup" aria-label={t`Collections`}>
          {found.map((collection) => (
            <label key={collection.id} className={styles.item}>
              <input
                type="radio"
                name="collection"
                className="visually-hidden"
                checked={selected?.id === collection.id}
                onChange={() => setChosen(collection.id)}
              />
              <Icon name="collection" size={18} />
              <bdi className={styles.path}>{collection.path.replaceAll('/', ' / ')}</bdi>
              {selected?.id === collection.id && <Icon name="check" size={16} />}
            </label>
          ))}
          {found.length === 0 && !willCreate && (
            <p className={styles.none}>{t`There are no collections yet. Name the first one above.`}</p>
          )}
        </div>
        <DialogActions error={work.error?.message ?? collections.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={work.isPending || !(selected || willCreate)}>
            {willCreate ? t`Create and add` : t`Add`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
