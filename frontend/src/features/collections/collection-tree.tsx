import { plural, t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import { useState, type DragEvent, type ReactNode } from 'react'
import { formatCount } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { collectionsOptions, treeOf, type CollectionNode } from './collection-queries.ts'
import { askForCollection, askToDelete, askToRename, dropOnCollection } from './change-collections.ts'
import styles from './collection-tree.module.css'

const dragType = 'application/x-dam-assets'
const storageKey = 'dam.collections.open'

function readOpen(): Set<number> {
  try {
    return new Set(
      (JSON.parse(localStorage.getItem(storageKey) ?? '[]') as unknown[]).filter(
        (id): id is number => typeof id === 'number',
      ),
    )
  } catch {
    return new Set()
  }
}

export function CollectionTree({ path, mayEdit }: { path: string; mayEdit: boolean }): ReactNode {
  const collections = useQuery(collectionsOptions)
  const [open, setOpen] = useState(readOpen)
  const current = Number(/^\/collections\/(\d+)/.exec(path)?.[1] ?? 0)
  const toggle = (id: number): void =>
    setOpen((now) => {
      const next = new Set(now)
      if (!next.delete(id)) next.add(id)
      localStorage.setItem(storageKey, JSON.stringify([...next]))
      return next
    })
  const roots = treeOf(collections.data ?? [])
  return (
    <section className={styles.section} aria-labelledby="collections-title">
      <div className={styles.head}>
        <h2 id="collections-title">{t`Collections`}</h2>
        {mayEdit && (
          <IconButton
            icon="add"
            size={16}
            label={t`New collection`}
            tip="end"
            className={styles.add}
            onClick={() => askForCollection(null)}
          />
        )}
      </div>
      <div className={styles.scroll}>
        {roots.length > 0 ? (
          <ul className={styles.tree}>
            {roots.map((node) => (
              <Branch
                key={node.collection.id}
                node={node}
                depth={0}
                current={current}
                open={open}
                onToggle={toggle}
                mayEdit={mayEdit}
              />
            ))}
          </ul>
        ) : (
          collections.data && (
            <p className={styles.none}>{mayEdit ? t`Folders you upload become collections.` : t`None yet.`}</p>
          )
        )}
      </div>
    </section>
  )
}

type BranchProps = {
  node: CollectionNode
  depth: number
  current: number
  open: ReadonlySet<number>
  onToggle: (id: number) => void
  mayEdit: boolean
}

function Branch({ node: { collection, children }, depth, current, open, onToggle, mayEdit }: BranchProps): ReactNode {
  const [over, setOver] = useState(false)
  const expanded = open.has(collection.id)
  const accepts = (event: DragEvent): boolean => mayEdit && event.dataTransfer.types.includes(dragType)
  return (
    <li>
      <div
        className={styles.line}
        data-current={current === collection.id || undefined}
        data-over={over || undefined}
        style={{ paddingInlineStart: Math.min(depth, 6) * 14 }}
        onDragOver={(event) => {
          if (!accepts(event)) return
          event.preventDefault()
          event.dataTransfer.dropEffect = 'copy'
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          if (!accepts(event)) return
          event.preventDefault()
          setOver(false)
          void dropOnCollection(collection, JSON.parse(event.dataTransfer.getData(dragType)) as number[])
        }}
      >
        {children.length > 0 ? (
          <button
            type="button"
            className={styles.expand}
            aria-expanded={expanded}
            aria-label={t`Collections in ${collection.name}`}
            onClick={() => onToggle(collection.id)}
          >
            <Icon name={expanded ? 'chevron-down' : 'chevron-right'} size={14} />
          </button>
        ) : (
          <span className={styles.expand} />
        )}
        <Link
          to={`/collections/${collection.id}`}
          className={styles.link}
          aria-current={current === collection.id ? 'page' : undefined}
          title={collection.path}
        >
          <bdi className={styles.name}>{collection.name}</bdi>
          <span
            className={styles.count}
            aria-label={plural(collection.asset_count, { one: '# asset', other: '# assets' })}
          >
            {collection.asset_count > 0 ? formatCount(collection.asset_count) : ''}
          </span>
        </Link>
        {mayEdit && current === collection.id && (
          <span className={styles.tools}>
            <IconButton
              icon="add"
              size={15}
              label={t`New collection inside`}
              tip="end"
              onClick={() => askForCollection(collection)}
            />
            <IconButton icon="edit" size={15} label={t`Rename`} tip="end" onClick={() => askToRename(collection)} />
            <IconButton icon="trash" size={15} label={t`Delete`} tip="end" onClick={() => askToDelete(collection)} />
          </span>
        )}
      </div>
      {expanded && children.length > 0 && (
        <ul>
          {children.map((child) => (
            <Branch
              key={child.collection.id}
              node={child}
              depth={depth + 1}
              current={current}
              open={open}
              onToggle={onToggle}
              mayEdit={mayEdit}
            />
          ))}
        </ul>
      )}
    </li>
  )
}
