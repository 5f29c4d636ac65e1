import { plural, t } from '@lingui/core/macro'
import { useMemo, useRef, useState, type ReactNode } from 'react'
import { connection } from '../../lib/connection.ts'
import { extensionOf } from '../../lib/asset-words.ts'
import { formatBytes, formatCount, formatWait } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { showToast } from '../../lib/toasts.ts'
import { useStore } from '../../lib/use-store.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { FixedList } from '../../ui/fixed-list.tsx'
import { Icon } from '../../ui/icon.tsx'
import { uploadManager } from './upload-manager.ts'
import {
  inOrderOfInterest,
  isUnderWay,
  speedOf,
  summarise,
  type UploadItem,
  type UploadSummary,
} from './upload-queue.ts'
import styles from './upload-tray.module.css'

type Filter = 'all' | 'failed' | 'duplicate' | 'interrupted'
const rowHeight = 58
const sampleWindowMs = 8000

export default function UploadTray(): ReactNode {
  const version = useStore(uploadManager.version)
  const reachable = useStore(connection) === 'reachable'
  const [open, setOpen] = useState(true)
  const [filter, setFilter] = useState<Filter>('all')
  const samples = useRef<[number, number][]>([])
  const { items, summary } = useMemo(
    () => ({ items: uploadManager.items.slice(), summary: summarise(uploadManager.items) }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the version stands for the items, which are replaced in place
    [version],
  )
  if (items.length === 0) return null

  const now = performance.now()
  const sending = items.some((item) => item.state === 'uploading')
  if (sending)
    samples.current = [
      ...samples.current.filter(([at, bytes]) => now - at < sampleWindowMs && bytes <= summary.bytesDone),
      [now, summary.bytesDone],
    ]
  else samples.current = []
  const speed = speedOf(samples.current)
  const shown = filter === 'all' ? inOrderOfInterest(items) : items.filter((item) => item.state === filter)
  const isBusy = summary.active > 0
  const fraction = summary.bytes === 0 ? (summary.active === 0 ? 1 : 0) : summary.bytesDone / summary.bytes
  const ids = (predicate: (item: UploadItem) => boolean): string[] => items.filter(predicate).map((item) => item.id)

  return (
    <section className={styles.tray} data-open={open || undefined} aria-label={t`Uploads`}>
      <div className={styles.head}>
        <div className={styles.headText}>
          <h2>{headline(summary)}</h2>
          <p>{!reachable && isBusy ? t`Waiting for the server. It goes on by itself.` : subline(summary, speed)}</p>
        </div>
        {isBusy && <IconButton icon="pause" label={t`Pause all`} onClick={() => uploadManager.pause()} />}
        {!isBusy && summary.paused > 0 && (
          <IconButton icon="play" label={t`Resume all`} onClick={() => uploadManager.resume()} />
        )}
        <IconButton
          icon={open ? 'chevron-down' : 'arrow-up'}
          label={open ? t`Make small` : t`Show all uploads`}
          tip={open ? 'below' : 'above'}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        />
        {isBusy || summary.paused > 0 ? (
          <IconButton
            icon="close"
            label={t`Cancel all`}
            tip="end"
            onClick={() => uploadManager.remove(ids((item) => isUnderWay(item) || item.state === 'paused'))}
          />
        ) : (
          <IconButton
            icon="close"
            label={t`Close`}
            tip="end"
            onClick={() =>
              uploadManager.remove(
                ids(
                  (item) =>
                    item.state !== 'interrupted' || filter === 'interrupted' || summary.total === summary.interrupted,
                ),
              )
            }
          />
        )}
      </div>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={t`All uploads`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(fraction * 100)}
        data-state={summary.failed > 0 && !isBusy ? 'failed' : !reachable && isBusy ? 'waiting' : undefined}
      >
        <span style={{ inlineSize: `${fraction * 100}%` }} />
      </div>
      {open && (
        <>
          {summary.interrupted > 0 && (
            <Banner
              text={plural(summary.interrupted, {
                one: '# unfinished upload. Drop the same file again to continue where it stopped.',
                other: '# unfinished uploads. Drop the same files again to continue where they stopped.',
              })}
            >
              {items.some((item) => item.state === 'interrupted' && item.handle) && (
                <Button
                  look="outline"
                  onClick={() =>
                    void uploadManager.continueInterrupted().then(({ left }) => {
                      if (left > 0)
                        showToast({
                          message: plural(left, {
                            one: '# file has to be dropped again',
                            other: '# files have to be dropped again',
                          }),
                        })
                    })
                  }
                >
                  {t`Continue`}
                </Button>
              )}
              <Button
                onClick={() => uploadManager.remove(ids((item) => item.state === 'interrupted'))}
              >{t`Discard`}</Button>
            </Banner>
          )}
          {summary.duplicates > 0 && (
            <Banner
              text={plural(summary.duplicates, {
                one: '# file is already in the library.',
                other: '# files are already in the library.',
              })}
            >
              <Button onClick={() => setFilter(filter === 'duplicate' ? 'all' : 'duplicate')}>
                {filter === 'duplicate' ? t`Show all` : t`Show`}
              </Button>
              <Button look="outline" onClick={() => void uploadManager.addAnyway()}>
                {summary.duplicates === 1 ? t`Add anyway` : t`Add all anyway`}
              </Button>
            </Banner>
          )}
          {summary.failed > 0 && (
            <Banner
              tone="danger"
              text={plural(summary.failed, {
                one: '# file could not be uploaded.',
                other: '# files could not be uploaded.',
              })}
            >
              <Button onClick={() => setFilter(filter === 'failed' ? 'all' : 'failed')}>
                {filter === 'failed' ? t`Show all` : t`Show`}
              </Button>
              <Button look="outline" icon="retry" onClick={() => uploadManager.retry()}>
                {summary.failed === 1 ? t`Retry` : t`Retry all`}
              </Button>
            </Banner>
          )}
          <FixedList
            items={shown}
            rowHeight={rowHeight}
            className={styles.list}
            label={t`Files`}
            keyOf={(item) => item.id}
            render={(item) => <UploadLine item={item} />}
          />
        </>
      )}
      <p className="visually-hidden" role="status">
        {isBusy ? '' : headline(summary)}
      </p>
    </section>
  )
}

function headline(summary: UploadSummary): string {
  if (summary.active > 0)
    return t`Uploading ${formatCount(summary.done + summary.duplicates)} of ${formatCount(summary.total)}`
  if (summary.paused > 0) return plural(summary.paused, { one: '# upload paused', other: '# uploads paused' })
  if (summary.total === summary.interrupted) return t`Unfinished uploads`
  if (summary.done > 0) return plural(summary.done, { one: '# file uploaded', other: '# files uploaded' })
  if (summary.failed > 0) return t`Uploads failed`
  return t`Nothing new to upload`
}

function subline(summary: UploadSummary, speed: number | null): string {
  const amount = t`${formatBytes(summary.bytesDone)} of ${formatBytes(summary.bytes)}`
  if (summary.active === 0) return formatBytes(summary.bytes)
  if (speed === null || speed < 1) return amount
  return [amount, t`${formatBytes(speed)}/s`, t`${formatWait((summary.bytes - summary.bytesDone) / speed)} left`].join(
    ' · ',
  )
}

function Banner({
  text,
  tone = 'neutral',
  children,
}: {
  text: string
  tone?: 'neutral' | 'danger'
  children: ReactNode
}): ReactNode {
  return (
    <div className={styles.banner} data-tone={tone}>
      <p>{text}</p>
      <span>{children}</span>
    </div>
  )
}

function stateOf(item: UploadItem): string {
  switch (item.state) {
    case 'interrupted':
      return t`Stopped at ${formatBytes(item.progress)} of ${formatBytes(item.size)}`
    case 'waiting':
      return t`Waiting`
    case 'hashing':
    case 'checking':
      return t`Checking`
    case 'queued':
      return t`Waiting`
    case 'uploading':
      return item.progress >= item.size ? t`Finishing` : t`${formatBytes(item.progress)} of ${formatBytes(item.size)}`
    case 'retrying':
    case 'failed':
      return item.error ?? ''
    case 'paused':
      return t`Paused`
    case 'duplicate':
      return t`Already in the library as “${item.duplicate?.label ?? ''}”`
    case 'done':
      return formatBytes(item.size)
  }
}

function UploadLine({ item }: { item: UploadItem }): ReactNode {
  const folder = item.relativePath.split('/').slice(0, -1).join(' / ')
  const target = item.assetId ?? item.duplicate?.id ?? null
  const showsBar = item.state === 'uploading' || item.state === 'hashing' || item.state === 'retrying'
  return (
    <div className={styles.line} data-state={item.state}>
      <span className={styles.kind}>
        {item.duplicate?.thumbnail_url ? (
          <img src={item.duplicate.thumbnail_url} alt="" />
        ) : item.state === 'done' ? (
          <Icon name="check" size={18} />
        ) : item.state === 'failed' ? (
          <Icon name="warning" size={18} />
        ) : (
          <span>{extensionOf(item.filename) || <Icon name="other" size={18} />}</span>
        )}
      </span>
      <span className={styles.what}>
        <span className={styles.name}>
          {target === null ? (
            <bdi>{item.filename}</bdi>
          ) : (
            <Link to={`/dam/assets/${target}`}>
              <bdi>{item.filename}</bdi>
            </Link>
          )}
        </span>
        <span className={styles.state} title={item.error ?? undefined}>
          {stateOf(item)}
          {folder && item.state !== 'failed' && item.state !== 'retrying' && (
            <bdi className={styles.folder}> · {folder}</bdi>
          )}
        </span>
        {showsBar && (
          <span className={styles.lineBar}>
            <span
              style={{ inlineSize: `${item.size === 0 ? 0 : (item.progress / item.size) * 100}%` }}
              data-hashing={item.state === 'hashing' || undefined}
            />
          </span>
        )}
      </span>
      <span className={styles.tools}>
        {isUnderWay(item) && (
          <IconButton
            icon="pause"
            size={16}
            label={t`Pause ${item.filename}`}
            tip="end"
            onClick={() => uploadManager.pause([item.id])}
          />
        )}
        {item.state === 'paused' && (
          <IconButton
            icon="play"
            size={16}
            label={t`Resume ${item.filename}`}
            tip="end"
            onClick={() => uploadManager.resume([item.id])}
          />
        )}
        {item.state === 'failed' && (
          <IconButton
            icon="retry"
            size={16}
            label={t`Retry ${item.filename}`}
            tip="end"
            onClick={() => uploadManager.retry([item.id])}
          />
        )}
        {item.state === 'duplicate' && (
          <Button
            className={styles.anyway}
            onClick={() => void uploadManager.addAnyway([item.id])}
          >{t`Add anyway`}</Button>
        )}
        {item.state !== 'done' && item.state !== 'duplicate' && (
          <IconButton
            icon="close"
            size={16}
            label={t`Cancel ${item.filename}`}
            tip="end"
            onClick={() => uploadManager.remove([item.id])}
          />
        )}
      </span>
    </div>
  )
}
