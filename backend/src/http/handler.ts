import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ParsedRequest, ResponseOf, RouteName } from '@dam/contract'
import type { Endpoints } from '@dam/contract/endpoints'
import type { Principal } from '../people/access.ts'

type Caller<N extends RouteName> = Endpoints[N]['access'] extends 'public' ? Principal | undefined : Principal

export type Context<N extends RouteName = RouteName> = {
  principal: Caller<N>
  request: FastifyRequest
  reply: FastifyReply
  /** Scheme, host and port the client used or the configured public address; for absolute URLs. No trailing slash. */
  origin: string
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

/**
 * Does what one endpoint of the contract promises. Input is parsed; access of the table is checked; a thrown `Problem` becomes its answer.
 * Sets headers or another 2xx status on `context.reply`; a handler that sends the body itself returns `context.reply`.
 */
export type Handler<N extends RouteName> = (
  input: ParsedRequest<N>,
  context: Context<N>,
) => Promise<ResponseOf<N> | FastifyReply>

export type Handlers = { [N in RouteName]: Handler<N> }
