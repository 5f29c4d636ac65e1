import type { IngestError } from '../ingest/types.ts'

/** A decision not to go on with a file, with its reason. Everything else thrown in the converter is a decoder's failure. */
export class Refusal extends Error {
  readonly reason: IngestError
  constructor(reason: IngestError) {
    super(reason.message)
    this.reason = reason
  }
}

const refusal =
  (kind: IngestError['kind']) =>
  (code: string, message: string): Refusal =>
    new Refusal({ kind, code, message, retryable: false })

export const refused = refusal('refused')
export const failed = refusal('failed')

/** Nothing on this machine makes a preview of it; `capability` names the missing tool where one would. */
export const unavailable = (code: string, message: string, capability?: string): Refusal =>
  new Refusal({ kind: 'unavailable', code, message, retryable: false, ...(capability ? { capability } : {}) })
