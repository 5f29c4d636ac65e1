import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { assetActions } from '../features/actions/asset-actions.ts'
import { emptyQuery } from '../lib/gallery-query.ts'
import { queryClient } from '../lib/query-client.ts'
import { sessionOptions } from '../lib/session.ts'
import { keysOf } from '../lib/shortcuts.ts'
import { Dialog } from '../ui/dialog.tsx'
import styles from './shortcuts-dialog.module.css'

export default function ShortcutsDialog({ onClose }: { onClose: () => void }): ReactNode {
  const user = queryClient.getQueryData(sessionOptions.queryKey)?.user
  const context = user ? { target: { ids: [1], count: 1 }, assets: [], user, query: emptyQuery } : null
  const groups: [string, [string, string[]][]][] = [
    [
      t`Everywhere`,
      [
        [t`Search and commands`, ['mod+k', '/']],
        [t`Undo`, ['mod+z']],
        [t`This overview`, ['?']],
      ],
    ],
    [
      t`Gallery`,
      [
        [t`Move`, ['arrowleft', 'arrowright', 'arrowup', 'arrowdown']],
        [t`Preview`, ['space']],
        [t`Open`, ['enter']],
        [t`Select`, ['x']],
        [t`Select a range`, ['shift+arrowright']],
        [t`Select all that match`, ['mod+a']],
        [t`Clear selection`, ['escape']],
      ],
    ],
    [
      t`Asset`,
      [
        [t`Previous, next`, ['arrowleft', 'arrowright']],
        [t`Zoom in, out, fit`, ['+', '-', '0']],
        [t`Show or hide details`, ['i']],
        [t`Back to the gallery`, ['escape']],
      ],
    ],
    [
      t`Selected assets`,
      assetActions.flatMap((action): [string, string[]][] =>
        action.shortcut && context ? [[action.label(context), [action.shortcut]]] : [],
      ),
    ],
  ]
  return (
    <Dialog title={t`Keyboard shortcuts`} size="large" onClose={onClose}>
      <div className={styles.groups}>
        {groups.map(([title, lines]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {lines.map(([label, shortcuts]) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd>
                    {shortcuts.map((shortcut) => (
                      <span key={shortcut}>
                        {keysOf(shortcut).map((key) => (
                          <kbd key={key}>{key}</kbd>
                        ))}
                      </span>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
