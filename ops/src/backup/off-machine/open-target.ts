import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { folderTarget } from './folder-target.ts'
import { rsyncTarget } from './rsync-target.ts'
import { s3Target } from './s3-target.ts'
import type { Target } from './target.ts'

type Shell = Readonly<Record<string, string | undefined>>

/**
 * `s3://bucket/prefix?endpoint=https://…&region=…&credentials=env|file:/path`, `rsync://host/module/path`, `user@host:/path`,
 * `file:///path` or a folder. Secrets never stand in the address; for S3 they are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of
 * `shell`, or of the file that is named.
 */
export function openTarget(address: string, shell: Shell): Target {
  if (address.startsWith('s3://')) return s3Target(address, shell)
  if (address.startsWith('file://')) return folderTarget(fileURLToPath(address))
  if (address.startsWith('rsync://') || /^[\w.-]+@[\w.-]+:.+/.test(address)) return rsyncTarget(address, shell)
  if (path.isAbsolute(address)) return folderTarget(address)
  throw new Error(
    `"${address}" is no place for backups. Name one like s3://bucket/prefix, rsync://host/module, user@host:/path or /mnt/backups.`,
  )
}
