import type { TaskList } from 'graphile-worker'
import type { Database } from '@dam/platform/database'
import { runBulkTask } from '../assets/bulk-assets.ts'
import { runEmptying, type ReleaseBlobs } from '../trash/empty-trash.ts'
import { runRestoring } from '../trash/restore-trash.ts'
import { taskJob } from './run-in-batches.ts'

/** Jobs of the worker that carry out tasks people started. */
export const taskList = ({ database, releaseBlobs }: { database: Database; releaseBlobs: ReleaseBlobs }): TaskList => ({
  'bulk-assets': taskJob(database, (task) => runBulkTask(database, task)),
  'empty-trash': taskJob(database, (task) => runEmptying(database, releaseBlobs, task)),
  // Of one asset; the list is short.
  'release-blobs': async (payload) => void (await releaseBlobs((payload as { checksums: string[] }).checksums)),
  'restore-trash': taskJob(database, (task) => runRestoring(database, task)),
})
