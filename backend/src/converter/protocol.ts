import type { Identified, IngestError, Measures, RawTags, ReadMetadata, RenderedPreviews } from '../ingest/types.ts'
import type { Tools } from './tools.ts'

/** What the worker asks of a converter process: paths and small values, never pixels. */
export type Requests = {
  identify: { input: { path: string; filename: string }; output: Identified }
  readMetadata: { input: { path: string; identified: Identified }; output: ReadMetadata }
  render: {
    input: { path: string; identified: Identified; measures: Measures; raw: RawTags; outputFolder: string }
    output: RenderedPreviews
  }
}
export type RequestKind = keyof Requests

export type StartMessage = { start: { tools: Tools } }
export type RequestMessage = { [K in RequestKind]: { id: number; kind: K; input: Requests[K]['input'] } }[RequestKind]
export type ResponseMessage =
  | { ready: true }
  | { id: number; value: Requests[RequestKind]['output'] }
  | { id: number; error: IngestError }
