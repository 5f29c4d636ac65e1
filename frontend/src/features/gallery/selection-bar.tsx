import { t } from '@lingui/core/macro'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { runnable, type Action, type ActionContext } from '../../lib/action.ts'
import { formatCount } from '../../lib/format.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import styles from './gallery.module.css'

const ActionMenu = lazy(() => import('../../ui/action-menu.tsx'))

type SelectionBarProps = {
  context: ActionContext
  isAll: boolean
  total: number
  hasMore: boolean
  actions: readonly Action[]
  onClear: () => void
  onSelectAll: () => void
}

export function SelectionBar({
  context,
  isAll,
  total,
  hasMore,
  actions,
  onClear,
  onSelectAll,
}: SelectionBarProps): ReactNode {
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null)
  const possible = runnable(actions, context)
  const prominent = possible.filter((action) => action.prominent)
  return (
    <div className={styles.selectionBar} role="toolbar" aria-label={t`Selected assets`}>
      <IconButton icon="close" label={t`Clear selection`} tip="above" onClick={onClear} />
      <span className={styles.selectionCount}>
        {isAll ? t`All ${formatCount(total)} selected` : t`${formatCount(context.target.count)} selected`}
      </span>
      {hasMore && (
        <Button className={styles.selectAll} onClick={onSelectAll}>
          {t`Select all ${formatCount(total)}`}
        </Button>
      )}
      <span className={styles.selectionActions}>
        {prominent.map((action) => (
          <Button
            key={action.id}
            icon={action.icon}
            className={action.tone === 'danger' ? styles.dangerAction : styles.action}
            aria-label={action.label(context)}
            onClick={() => void action.run(context)}
          >
            <span className={styles.actionLabel}>{action.label(context)}</span>
          </Button>
        ))}
        {possible.length > 0 && (
          <IconButton
            icon="more"
            label={t`More actions`}
            tip="end"
            aria-haspopup="menu"
            aria-expanded={menu !== null}
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect()
              setMenu({ x: box.right, y: box.top })
            }}
          />
        )}
      </span>
      {menu && (
        <Suspense>
          <ActionMenu at={menu} actions={possible} context={context} onClose={() => setMenu(null)} />
        </Suspense>
      )}
    </div>
  )
}
