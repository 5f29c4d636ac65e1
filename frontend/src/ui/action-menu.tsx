import { Menu } from '@base-ui/react/menu'
import { t } from '@lingui/core/macro'
import { useMemo, type ReactNode } from 'react'
import type { Action, ActionContext } from '../lib/action.ts'
import { keysOf } from '../lib/shortcuts.ts'
import { Icon } from './icon.tsx'
import styles from './menu.module.css'

type ActionMenuProps = {
  at: { x: number; y: number }
  actions: readonly Action[]
  context: ActionContext
  onClose: () => void
}

/** The actions that are possible, as a menu at a point of the window. */
export default function ActionMenu({ at, actions, context, onClose }: ActionMenuProps): ReactNode {
  const anchor = useMemo(
    () => ({ getBoundingClientRect: () => DOMRect.fromRect({ x: at.x, y: at.y, width: 0, height: 0 }) }),
    [at],
  )
  return (
    <Menu.Root open onOpenChange={(open) => !open && onClose()}>
      <Menu.Portal>
        <Menu.Positioner
          className={styles.positioner}
          anchor={anchor}
          side="bottom"
          align="start"
          sideOffset={2}
          collisionPadding={8}
        >
          <Menu.Popup className={styles.popup} aria-label={t`Actions`}>
            {actions.map((action, index) => (
              <Menu.Item
                key={action.id}
                className={styles.item}
                data-danger={action.tone === 'danger' || undefined}
                data-apart={(action.tone === 'danger' && index > 0) || undefined}
                onClick={() => {
                  onClose()
                  void action.run(context)
                }}
              >
                <Icon name={action.icon} size={18} />
                <span className={styles.label}>{action.label(context)}</span>
                {action.shortcut && <kbd className={styles.keys}>{keysOf(action.shortcut).join(' ')}</kbd>}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}
