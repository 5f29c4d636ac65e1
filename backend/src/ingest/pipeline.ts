import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { StageName } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import { recordEvents } from '../events/record.ts'
import { publishRenditions } from '../renditions/publish-renditions.ts'
import { saveRenditions, type Rendition } from '../renditions/rendition-store.ts'
import { indexAsset } from '../search/index-asset.ts'
import {
  findIngestAsset,
  saveFindings,
  saveStages,
  type Findings,
  type IngestAsset,
  type StageRow,
} from './ingest-store.ts'
import { canonicalExtension, extensionOf } from './media-types.ts'
import type { Converter, Identified, IngestError } from './types.ts'

export type PipelineDependencies = {
  database: Database
  converter: Converter
  /** Absolute path of an original. */
  blobPath: (sha256: string) => string
  renditionsFolder: string
  /** Folder for output of converters, on the disk of the renditions. */
  scratchFolder: string
  /** Name of this worker in the timeline. */
  worker: string
  now: () => Date
}

/** What the run knows so far; each stage adds its part. */
type Run = {
  asset: IngestAsset
  identified: Identified
  found: Findings
  renditions: Rendition[]
}

type StageEnd = { outcome: StageRow['outcome']; error?: string; detail?: Record<string, unknown> }
type Stage = { name: StageName; run(run: Run, deps: PipelineDependencies): Promise<StageEnd> }

/** The whole of ingest, in order. Each stage can be run again at any time with the same result. */
const stages: readonly Stage[] = [
  { name: 'identify', run: identify },
  { name: 'metadata', run: readMetadata },
  { name: 'previews', run: makePreviews },
]
// `index`, the last stage, is the transaction that writes all of it: see `store`.

/**
 * Runs ingest of one asset, all of it or from one stage on. Reads once, writes once: everything found is stored in a single transaction with
 * the search document, the timeline and the event. A bad file is a result; what throws is a fault of the server and may be tried again.
 */
export async function ingest(
  input: { assetId: number; from?: StageName; attempt: number },
  deps: PipelineDependencies,
): Promise<void> {
  const asset = await findIngestAsset(deps.database, input.assetId)
  if (!asset) return
  const run: Run = {
    asset,
    identified: knownIdentity(asset),
    found: {
      measures: knownMeasures(asset),
      ...(input.from === 'index' ? {} : { status: { is: 'ready', reason: null } }),
    },
    renditions: [],
  }
  const record: StageRow[] = []
  const first = Math.max(
    0,
    stages.findIndex(({ name }) => name === input.from),
  )
  const due = input.from === 'index' ? [] : stages.slice(first)
  for (const stage of due) {
    const startedAt = deps.now()
    const end = await stage.run(run, deps)
    record.push({
      stage: stage.name,
      attempt: input.attempt,
      startedAt,
      endedAt: deps.now(),
      outcome: end.outcome,
      error: end.error ?? null,
      detail: end.detail ?? {},
    })
    if (stage.name === 'identify' && end.outcome !== 'done') break
  }
  await store(run, record, input, deps)
}

async function identify(run: Run, deps: PipelineDependencies): Promise<StageEnd> {
  const outcome = await deps.converter.identify({ path: deps.blobPath(run.asset.sha256), filename: run.asset.filename })
  // Nothing in a file can make the first look at it fail in this way; the machine has a fault, so the job is tried again.
  if (!outcome.ok && outcome.error.retryable) throw new Error(outcome.error.message)
  if (!outcome.ok) {
    run.found.status = { is: 'failed', reason: outcome.error.message }
    run.found.preview = { state: 'failed', reason: outcome.error.message }
    return endOf(outcome.error)
  }
  run.identified = outcome.value
  run.found.identity = { mimeType: outcome.value.mimeType, type: outcome.value.type }
  return { outcome: 'done', detail: { mime_type: outcome.value.mimeType, ...mismatchOf(outcome.value) } }
}

async function readMetadata(run: Run, deps: PipelineDependencies): Promise<StageEnd> {
  const outcome = await deps.converter.readMetadata({
    path: deps.blobPath(run.asset.sha256),
    identified: run.identified,
  })
  if (!outcome.ok) return endOf(outcome.error)
  const { refined, fields, raw, measures, capturedAt, warnings } = outcome.value
  if (refined) {
    run.identified = refined
    run.found.identity = { mimeType: refined.mimeType, type: refined.type }
  }
  run.asset = { ...run.asset, raw }
  run.found.metadata = { fields, raw, capturedAt: capturedAt ?? null }
  run.found.measures = { ...run.found.measures, ...measures }
  return {
    outcome: 'done',
    ...(warnings.length > 0 ? { error: warnings.join('; ').slice(0, 1000) } : {}),
    detail: { tags: Object.keys(raw).length, ...(refined ? { mime_type: refined.mimeType } : {}) },
  }
}

async function makePreviews(run: Run, deps: PipelineDependencies): Promise<StageEnd> {
  const outputFolder = join(deps.scratchFolder, randomUUID())
  await mkdir(outputFolder, { recursive: true })
  try {
    const outcome = await deps.converter.render({
      path: deps.blobPath(run.asset.sha256),
      identified: run.identified,
      measures: run.found.measures,
      raw: {},
      outputFolder,
    })
    if (!outcome.ok) {
      const { kind, message } = outcome.error
      run.found.preview = { state: kind, reason: message }
      if (kind !== 'unavailable' && !run.found.measures.width && !run.found.measures.durationMs) {
        run.found.status = { is: 'failed', reason: message }
      }
      return endOf(outcome.error)
    }
    const { renditions, measures, placeholder, colour, provider, damage } = outcome.value
    run.renditions = await publishRenditions({
      renditionsFolder: deps.renditionsFolder,
      sha256: run.asset.sha256,
      files: renditions,
    })
    run.found.measures = { ...run.found.measures, ...measures }
    run.found.preview = { state: 'ready', reason: damage ?? null, placeholder, colour }
    return { outcome: 'done', ...(damage ? { error: damage } : {}), detail: { provider } }
  } finally {
    await rm(outputFolder, { recursive: true, force: true })
  }
}

/** The last stage: one transaction with everything. */
async function store(
  run: Run,
  record: StageRow[],
  { from, attempt }: { from?: StageName; attempt: number },
  deps: PipelineDependencies,
): Promise<void> {
  const { id } = run.asset
  const startedAt = deps.now()
  await deps.database.transaction(async (tx) => {
    if (!(await saveFindings(tx, id, run.found))) return
    await saveRenditions(tx, run.renditions)
    await indexAsset(tx, [id])
    const indexed: StageRow = {
      stage: 'index',
      attempt,
      startedAt,
      endedAt: deps.now(),
      outcome: 'done',
      error: null,
      detail: {},
    }
    await saveStages(tx, id, deps.worker, [...record, indexed])
    await recordEvents(tx, [
      {
        kind:
          run.found.status?.is === 'failed' ? 'asset.failed' : from === 'previews' ? 'asset.previewed' : 'asset.ready',
        assetId: id,
      },
    ])
  })
}

/** Gives an asset up: the pipeline itself failed again and again. */
export async function giveUp(
  input: { assetId: number; reason: string; attempt: number },
  deps: Pick<PipelineDependencies, 'database' | 'worker' | 'now'>,
): Promise<void> {
  const at = deps.now()
  const preview = { state: 'failed' as const, reason: input.reason }
  await deps.database.transaction(async (tx) => {
    if (
      !(await saveFindings(tx, input.assetId, {
        measures: {},
        preview,
        status: { is: 'failed', reason: input.reason },
      }))
    )
      return
    await saveStages(tx, input.assetId, deps.worker, [
      {
        stage: 'index',
        attempt: input.attempt,
        startedAt: at,
        endedAt: at,
        outcome: 'failed',
        error: input.reason,
        detail: {},
      },
    ])
    await recordEvents(tx, [{ kind: 'asset.failed', assetId: input.assetId }])
  })
}

const endOf = (error: IngestError): StageEnd => ({
  outcome: error.kind,
  error: error.message,
  detail: {
    code: error.code,
    retryable: error.retryable,
    ...(error.capability ? { capability: error.capability } : {}),
  },
})

const mismatchOf = ({ mismatch }: Identified) =>
  mismatch ? { claimed_extension: mismatch.claimed, detected_extension: mismatch.actual } : {}

const knownIdentity = (asset: IngestAsset): Identified => ({
  mimeType: asset.mimeType,
  type: asset.type,
  extension: canonicalExtension(asset.mimeType),
  claimed: extensionOf(asset.filename),
})

const knownMeasures = ({ width, height, durationMs }: IngestAsset) => ({
  ...(width && height ? { width, height } : {}),
  ...(durationMs === null ? {} : { durationMs }),
})
