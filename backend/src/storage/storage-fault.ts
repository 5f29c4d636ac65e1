import { Problem } from '@dam/contract'

const full = new Set(['ENOSPC', 'EDQUOT'])
const broken = new Set(['EIO', 'EROFS', 'ENODEV', 'ENXIO', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'EMFILE', 'ENFILE'])

export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** What a failure of the file system means to a client. The path stays in the cause, for the log. Other errors come back as they are. */
export function storageFault(error: unknown): unknown {
  const errno = errnoOf(error)
  if (full.has(errno)) {
    return new Problem(
      'storage-full',
      'The storage is full. What was stored before is safe; ask an administrator to free some space, then resume.',
      { cause: error },
    )
  }
  if (broken.has(errno)) return storageUnavailable(error)
  return error
}

export const storageUnavailable = (cause: unknown): Problem =>
  new Problem(
    'storage-unavailable',
    'The storage for files does not answer. Nothing is lost; try again in a minute, and tell an administrator if it lasts.',
    { cause, details: { retry_after: 30 } },
  )
