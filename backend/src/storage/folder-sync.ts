import { open } from 'node:fs/promises'

/**
 * Makes the entries of a folder durable. Calls that come while a sync of the same folder runs share the next one: the one that
 * runs may have begun before their change.
 */
export function createFolderSync(): (folder: string) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  const waiting = new Map<string, Promise<void>>()

  const start = (folder: string): Promise<void> => {
    const work = syncFolder(folder).finally(() => running.delete(folder))
    running.set(folder, work)
    return work
  }
  return (folder) => {
    const current = running.get(folder)
    if (!current) return start(folder)
    const next = waiting.get(folder)
    if (next) return next
    const queued = current
      .catch(() => undefined)
      .then(() => {
        waiting.delete(folder)
        return start(folder)
      })
    waiting.set(folder, queued)
    return queued
  }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}
