/** One step of the smoke journey on a synthetic asset: sign in, upload, ingest, search, render, download, checksum, delete. */
export type JourneyStep = { name: string; ok: boolean; tookMs: number; message: string }
export type JourneyResult = { ok: boolean; startedAt: string; tookMs: number; steps: JourneyStep[] }
