import { z } from 'zod'
import { stages } from '@dam/contract/schemas'
import { addJob } from '@dam/platform/jobs'
import type { Database, Querier } from '@dam/platform/database'
import { findAbandoned, findUnavailableFor } from './ingest-store.ts'
import { giveUp, ingest, type PipelineDependencies } from './pipeline.ts'

const payloadSchema = z.object({ assetId: z.number().int().positive(), from: z.enum(stages).optional() })

type Job = { attempts: number; max_attempts: number }

/** The job `ingest {assetId, from?}`. After its last attempt the asset says that it failed and why. */
export const ingestTask =
  (deps: PipelineDependencies) =>
  async (payload: unknown, job: Job): Promise<void> => {
    const { assetId, from } = payloadSchema.parse(payload)
    try {
      await ingest({ assetId, attempt: job.attempts, ...(from ? { from } : {}) }, deps)
    } catch (error) {
      if (job.attempts >= job.max_attempts) {
        const message = error instanceof Error ? error.message : String(error)
        await giveUp(
          {
            assetId,
            attempt: job.attempts,
            reason: `Ingest failed ${job.attempts} times, the last time with: ${message.slice(0, 300)}. Run it again from the timeline of the asset.`,
          },
          deps,
        )
      }
      throw error
    }
  }

/** Queues ingest again, for instance when a rendition has disappeared from the disk. A job that already waits is kept. */
export const requestIngest = (
  querier: Querier,
  assetId: number,
  from: (typeof stages)[number],
  priority = 10,
): Promise<void> => addJob(querier, 'ingest', { assetId, from }, { key: `ingest:${assetId}:${from}`, priority })

/** Queues previews again for assets that had to go without because `capability` was missing. Returns how many. Call when a worker starts, for each that is there now. */
export async function requeueUnavailable(database: Database, capability: string): Promise<number> {
  const ids = await findUnavailableFor(database, capability)
  for (const id of ids) await requestIngest(database, id, 'previews', 50)
  return ids.length
}

/** Marks assets as failed whose job died with its worker on every attempt. Call when a worker starts. */
export async function failAbandoned(deps: Pick<PipelineDependencies, 'database' | 'worker' | 'now'>): Promise<number> {
  const ids = await findAbandoned(deps.database)
  for (const assetId of ids) {
    await giveUp(
      {
        assetId,
        attempt: 3,
        reason:
          'The server died each time it worked on this file. The original is kept and can be downloaded; run ingest again from the timeline of the asset.',
      },
      deps,
    )
  }
  return ids.length
}
