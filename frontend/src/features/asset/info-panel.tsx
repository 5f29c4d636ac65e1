import type { Asset } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useState, type ReactNode } from 'react'
import { assetTypeNames } from '../../lib/asset-words.ts'
import { formatBytes, formatDateTime, formatNumber } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { showToast } from '../../lib/toasts.ts'
import { Button, buttonClass, IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { TagInput } from '../../ui/tag-input.tsx'
import { ConflictDialog } from './conflict-dialog.tsx'
import { metadataGroups } from './metadata-groups.ts'
import { TimelineSection } from './timeline-section.tsx'
import { useAutosave, type Editing } from './use-autosave.ts'
import type { AssetVersion } from './asset-query.ts'
import styles from './info-panel.module.css'

type InfoPanelProps = { version: AssetVersion; mayEdit: boolean; onTag: (tag: string) => string }

export function InfoPanel({ version, mayEdit, onTag }: InfoPanelProps): ReactNode {
  const { asset } = version
  const editing = useAutosave(version)
  return (
    <aside className={styles.panel} aria-label={t`Details`}>
      {mayEdit ? <Editor editing={editing} /> : <Words asset={asset} onTag={onTag} />}
      {editing.conflict && <ConflictDialog conflict={editing.conflict} onResolve={editing.resolve} />}
      <Files asset={asset} />
      {metadataGroups(asset).map((group) => (
        <Section key={group.title} title={group.title}>
          <Lines lines={group.lines} />
        </Section>
      ))}
      {asset.collections.length > 0 && (
        <Section title={t`Collections`}>
          <ul className={styles.links}>
            {asset.collections.map((collection) => (
              <li key={collection.id}>
                <Link to={`/collections/${collection.id}`}>
                  <Icon name="collection" size={16} />
                  <bdi>{collection.path.replaceAll('/', ' / ')}</bdi>
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {asset.duplicates.length > 0 && (
        <Section title={t`Same file elsewhere`}>
          <ul className={styles.links}>
            {asset.duplicates.map((other) => (
              <li key={other.id}>
                <Link to={`/dam/assets/${other.id}`}>
                  <Icon name="copy" size={16} />
                  <bdi>{other.label}</bdi>
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <RawTags asset={asset} />
      <TimelineSection asset={asset} mayReplay={mayEdit} />
    </aside>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <section className={styles.section}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

function Lines({ lines }: { lines: { label: string; value: string | string[] }[] }): ReactNode {
  return (
    <dl className={styles.lines}>
      {lines.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {Array.isArray(value) ? (
              value.map((item, index) => (
                <bdi key={index} className={styles.word}>
                  {item}
                </bdi>
              ))
            ) : (
              <bdi>{value}</bdi>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Editor({ editing }: { editing: Editing }): ReactNode {
  const { draft, setDraft, state, error, retry, flush } = editing
  const words = {
    untouched: '',
    saved: t`Saved`,
    changed: t`Not saved yet`,
    saving: t`Saving…`,
    waiting: t`Waiting for the server…`,
    failed: error ?? t`Not saved`,
  }
  return (
    // Escape leaves the field; the next one leaves the page. The keys are the fields', the box only hears them.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className={styles.editor}
      onKeyDown={(event) => event.key === 'Escape' && event.target instanceof HTMLElement && event.target.blur()}
    >
      <textarea
        className={styles.title}
        dir="auto"
        rows={1}
        value={draft.label}
        maxLength={500}
        aria-label={t`Title`}
        spellCheck
        onChange={(event) => setDraft({ label: event.target.value.replaceAll('\n', ' ') })}
        onBlur={flush}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
      <textarea
        className={styles.description}
        dir="auto"
        rows={2}
        value={draft.description}
        maxLength={20_000}
        placeholder={t`Add a description`}
        aria-label={t`Description`}
        onChange={(event) => setDraft({ description: event.target.value })}
        onBlur={flush}
      />
      <TagInput tags={draft.tags} label={t`Tags`} onChange={(tags) => setDraft({ tags })} />
      <p className={styles.saving} data-state={state} role="status">
        {words[state]}
        {state === 'failed' && <Button onClick={retry}>{t`Try again`}</Button>}
      </p>
    </div>
  )
}

function Words({ asset, onTag }: { asset: Asset; onTag: (tag: string) => string }): ReactNode {
  return (
    <div className={styles.words}>
      <bdi className={styles.readTitle}>{asset.label}</bdi>
      {asset.description && (
        <p className={styles.readDescription} dir="auto">
          {asset.description}
        </p>
      )}
      {asset.tags.length > 0 && (
        <ul className={styles.tags} aria-label={t`Tags`}>
          {asset.tags.map((tag) => (
            <li key={tag}>
              <Link to={onTag(tag)}>
                <bdi>{tag}</bdi>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Files({ asset }: { asset: Asset }): ReactNode {
  const presetNames: Record<string, string> = { thumbnail: t`Thumbnail`, preview: t`Preview` }
  const pixels = (width: number, height: number): string => `${width} × ${height}`
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(asset.checksum)
      showToast({ tone: 'success', message: t`Checksum copied` })
    } catch {
      showToast({ tone: 'danger', message: t`The browser did not allow copying` })
    }
  }
  return (
    <Section title={t`File`}>
      <a className={buttonClass('primary', styles.download)} href={asset.download_url} download="">
        <Icon name="download" size={18} />
        {t`Download original`}
        <span className={styles.size}>{formatBytes(asset.size)}</span>
      </a>
      {asset.renditions.map((rendition) => (
        <a
          key={rendition.preset}
          className={buttonClass('outline', styles.download)}
          href={`${asset.download_url}?preset=${encodeURIComponent(rendition.preset)}`}
          download=""
        >
          <Icon name="download" size={18} />
          {presetNames[rendition.preset] ?? rendition.preset}
          <span className={styles.size}>
            {pixels(rendition.width, rendition.height)} · {formatBytes(rendition.size)}
          </span>
        </a>
      ))}
      <dl className={styles.lines}>
        <div>
          <dt>{t`Name`}</dt>
          <dd>
            <bdi>{asset.filename}</bdi>
          </dd>
        </div>
        <div>
          <dt>{t`Kind`}</dt>
          <dd>
            {assetTypeNames()[asset.type]} <span className={styles.faint}>{asset.mime_type}</span>
          </dd>
        </div>
        {asset.metadata.detected_extension && (
          <div>
            <dt>{t`Really is`}</dt>
            <dd
              className={styles.warning}
            >{t`The name says otherwise, the content is ${asset.metadata.detected_extension.toUpperCase()}`}</dd>
          </div>
        )}
        {asset.width && asset.height && (
          <div>
            <dt>{t`Size`}</dt>
            <dd>
              {pixels(asset.width, asset.height)}{' '}
              {asset.width * asset.height >= 100_000 && (
                <span
                  className={styles.faint}
                >{t`${formatNumber((asset.width * asset.height) / 1e6, 1)} megapixels`}</span>
              )}
            </dd>
          </div>
        )}
        <div>
          <dt>{t`Added`}</dt>
          <dd>
            {formatDateTime(asset.date_added)}
            {asset.owner && <bdi className={styles.faint}> {asset.owner.display_name || asset.owner.username}</bdi>}
          </dd>
        </div>
        <div>
          <dt>SHA-256</dt>
          <dd className={styles.checksum}>
            <code>{asset.checksum.slice(0, 16)}…</code>
            <IconButton icon="copy" size={15} label={t`Copy the checksum`} tip="end" onClick={() => void copy()} />
          </dd>
        </div>
      </dl>
    </Section>
  )
}

const shownTags = 400

function RawTags({ asset }: { asset: Asset }): ReactNode {
  const [text, setText] = useState('')
  const [open, setOpen] = useState(false)
  const entries = Object.entries(asset.exif)
  if (entries.length === 0) return null
  const wanted = text.trim().toLocaleLowerCase()
  const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
  const found = open
    ? entries.filter(
        ([key, value]) =>
          wanted === '' ||
          key.toLocaleLowerCase().includes(wanted) ||
          asText(value).toLocaleLowerCase().includes(wanted),
      )
    : []
  return (
    <details className={styles.raw} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {t`All embedded tags`} <span className={styles.faint}>{entries.length}</span>
      </summary>
      {open && (
        <>
          <input
            className={styles.filter}
            type="search"
            value={text}
            placeholder={t`Filter tags`}
            aria-label={t`Filter tags`}
            onChange={(event) => setText(event.target.value)}
          />
          <dl className={styles.rawLines}>
            {found.slice(0, shownTags).map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd dir="auto">{asText(value).slice(0, 2000)}</dd>
              </div>
            ))}
          </dl>
          {found.length === 0 && <p className={styles.faint}>{t`No tag matches.`}</p>}
        </>
      )}
    </details>
  )
}
