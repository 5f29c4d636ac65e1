/** Every error code the API can answer with, and the HTTP status it has. The list is closed: clients may switch on it. */
export const problemStatus = {
  'invalid-request': 400,
  'unknown-field': 400,
  'invalid-ordering': 400,
  'invalid-filter': 400,
  'invalid-cursor': 400,
  'invalid-filename': 400,
  'checksum-unsupported': 400,
  'idempotency-key-invalid': 400,
  'not-authenticated': 401,
  'credentials-rejected': 401,
  'not-allowed': 403,
  'origin-rejected': 403,
  'setup-link-invalid': 403,
  'not-found': 404,
  'invalid-page': 404,
  'asset-not-found': 404,
  'collection-not-found': 404,
  'upload-not-found': 404,
  'user-not-found': 404,
  'task-not-found': 404,
  'rendition-not-found': 404,
  'method-not-allowed': 405,
  'already-exists': 409,
  'not-possible-now': 409,
  'offset-mismatch': 409,
  'setup-already-done': 409,
  'idempotency-conflict': 409,
  'last-administrator': 409,
  'task-already-ended': 409,
  'upload-expired': 410,
  'edit-conflict': 412,
  'tus-version-unsupported': 412,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'range-not-satisfiable': 416,
  'validation-failed': 422,
  'upload-locked': 423,
  'too-many-requests': 429,
  'checksum-mismatch': 460,
  'internal-error': 500,
  'bad-gateway': 502,
  'rendition-unavailable': 503,
  'database-unavailable': 503,
  'storage-unavailable': 503,
  'shutting-down': 503,
  maintenance: 503,
  'not-in-service': 503,
  'gateway-timeout': 504,
  'storage-full': 507,
} as const

export type ProblemCode = keyof typeof problemStatus

/** Body of every error answer, `application/problem+json`; field errors stand beside `detail` as `{ "field": ["..."] }`. */
export type ProblemBody = {
  detail: string
  error: {
    code: ProblemCode
    message: string
    details: Record<string, unknown>
    request_id: string
  }
}

/** An expected failure: what went wrong in the language of the domain. Nothing here knows of HTTP but the status table above. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly details: Record<string, unknown>
  readonly fields: Record<string, string[]>

  constructor(
    code: ProblemCode,
    message: string,
    more: { details?: Record<string, unknown>; fields?: Record<string, string[]>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'Problem'
    this.code = code
    this.details = more.details ?? {}
    this.fields = more.fields ?? {}
  }
}

/** The answer that says it. */
export function problemBody(problem: Problem, requestId: string): ProblemBody {
  return {
    ...problem.fields,
    detail: problem.message,
    error: { code: problem.code, message: problem.message, details: problem.details, request_id: requestId },
  }
}
