import { Problem, problemBody, problemStatus } from '@dam/contract'
import { isDatabaseUnavailable } from '@dam/platform/database'
import type { FastifyReply } from 'fastify'

/** Any thrown value as the Problem it means; what we did not expect becomes `internal-error` and says nothing about its cause. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (isDatabaseUnavailable(error)) {
    return new Problem(
      'database-unavailable',
      'The database does not answer at the moment. Try again in a few seconds.',
      { cause: error },
    )
  }
  if (error instanceof Error && 'code' in error) {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
      return new Problem('payload-too-large', 'The request body is too large.', { cause: error })
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
      return new Problem('unsupported-media-type', 'Send the body as application/json.', { cause: error })
    if (typeof error.code === 'string' && error.code.startsWith('FST_ERR_CTP_'))
      return new Problem('invalid-request', 'The request body is not valid JSON.', { cause: error })
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
      return new Problem('storage-full', 'The storage is full. Nothing was saved; free some space and try again.', {
        cause: error,
      })
  }
  if (error instanceof SyntaxError && 'statusCode' in error)
    return new Problem('invalid-request', 'The request body is not valid JSON.', { cause: error })
  return new Problem(
    'internal-error',
    'Something went wrong on the server. The error is in its log under this request id.',
    { cause: error },
  )
}

/** The one translation of a Problem to HTTP. */
export function sendProblem(reply: FastifyReply, problem: Problem, requestId: string): FastifyReply {
  const retryAfter = problem.details['retry_after']
  if (typeof retryAfter === 'number') void reply.header('retry-after', String(Math.ceil(retryAfter)))
  else if (problemStatus[problem.code] === 503) void reply.header('retry-after', '5')
  if (problem.code === 'not-authenticated') void reply.header('www-authenticate', 'Token')
  return reply
    .code(problemStatus[problem.code])
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemBody(problem, requestId)))
}
