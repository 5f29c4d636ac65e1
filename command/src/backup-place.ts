import { existsSync } from 'node:fs'
import path from 'node:path'
import { manifest as packageManifest } from '@dam/backend/src/config.ts'
import { isBackupId } from '@dam/ops/src/backup/backup-folder.ts'
import { findBackup } from '@dam/ops/src/backup/backup-store.ts'
import { gigabytes } from '@dam/ops/src/backup/disk-room.ts'
import type { Progress } from '@dam/ops/src/backup/progress.ts'
import type { RestoreSource } from '@dam/ops/src/backup/restore/restore-backup.ts'
import { listSlots } from '@dam/ops/src/deployments/slot-store.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import type { Store } from '@dam/ops/src/store.ts'
import { type Migration, readMigrations } from '@dam/platform/migrate'
import { root } from './config.ts'
import { CommandFailure } from './failure.ts'
import type { OperationsPlace } from './operations.ts'

/** The environment that is named, or the only one, or production. */
export function chooseEnvironment(place: OperationsPlace, name: string | undefined): Environment {
  const { environments } = place
  const wanted = name ?? (environments.length === 1 ? environments[0]?.name : 'production')
  const found = environments.find((environment) => environment.name === wanted)
  if (found) return found
  throw new CommandFailure(
    `There is no environment "${wanted}". There is: ${environments.map((environment) => environment.name).join(', ')}`,
  )
}

export const isEnvironmentName = (place: OperationsPlace, text: string): boolean =>
  place.environments.some(({ name }) => name === text)

/** Tag of the release that serves an environment of a host; the version of this checkout elsewhere. */
export function releaseOf(environment: Environment, store: Store): string {
  if (environment.isLocal) return packageManifest.version
  const row = store.row<{ pointer: string }>('select pointer from pointer where environment = ?', environment.name)
  const pointer = row ? (JSON.parse(row.pointer) as { active: { tag: string } | null }) : null
  return pointer?.active?.tag ?? 'none'
}

/** Folder of the release that serves an environment of a host, or this checkout. */
export function applicationDirOf(environment: Environment, store: Store): string {
  const tag = releaseOf(environment, store)
  const slot = environment.isLocal
    ? undefined
    : listSlots(store, environment.name).find((candidate) => candidate.tag === tag)
  return slot?.releaseDir ?? root
}

/** Migrations of the database that the application of an environment brings: not always those of this checkout. */
export const migrationsOfApplication = (environment: Environment, store: Store): Migration[] =>
  readMigrations(path.join(applicationDirOf(environment, store), 'backend/migrations'))

/** A backup by its id, or a file that somebody made. */
export function restoreSource(place: OperationsPlace, store: Store, text: string): RestoreSource {
  if (isBackupId(text)) {
    const backup = findBackup(store, text)
    const folder = backup?.folder ?? path.join(place.backupsDir, text)
    if (backup?.state === 'running' || backup?.state === 'failed' || backup?.state === 'deleted' || !existsSync(folder))
      throw new CommandFailure(
        `Backup ${text} ${backup ? `is ${backup.state}` : 'is not on this machine'}. ./dam backups lists what there is; ./dam backups fetch ${text} --from <target> brings one back.`,
      )
    return { kind: 'backup', folder }
  }
  const file = path.resolve(text)
  if (existsSync(path.join(file, 'manifest.json'))) return { kind: 'backup', folder: file }
  if (existsSync(file)) return { kind: 'file', file }
  throw new CommandFailure(`There is no backup and no file "${text}". ./dam backups lists the backups.`)
}

/** One line on the terminal that is written over and over; nothing where no person looks. */
export function progressLine(): ((progress: Progress) => void) & Disposable {
  if (!process.stderr.isTTY) return Object.assign(() => undefined, { [Symbol.dispose]: () => undefined })
  const names = { database: 'database', originals: 'originals', verify: 'checking', copy: 'copying' }
  const say = ({ phase, what, doneBytes, totalBytes, remainingMs }: Progress): void => {
    const share = totalBytes > 0 ? `${Math.min(100, Math.round((doneBytes / totalBytes) * 100))} %` : ''
    const left = remainingMs === null ? '' : `, about ${Math.ceil(remainingMs / 1000)} s left`
    process.stderr.write(`\r\u001B[K${names[phase]} ${share} ${gigabytes(doneBytes)}${left}  ${what.slice(0, 40)}`)
  }
  return Object.assign(say, { [Symbol.dispose]: () => void process.stderr.write('\r\u001B[K') })
}

/** Aborted by Ctrl-C. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new CommandFailure('Stopped. Nothing was changed.')))
  return controller.signal
}

/** Asks for a typed word; anything else is no. */
export async function confirmed(question: string, word: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  process.stdout.write(`${question}\nType "${word}" to go on: `)
  for await (const line of process.stdin) return String(line).trim() === word
  return false
}
