import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpsEndpoints } from '@dam/contract/ops-endpoints'
import type { OpsRouteName } from '@dam/contract/ops-routes'
import type { OpsParsedRequest, OpsResponseOf } from '@dam/contract/ops-types'
import type { Principal } from '../people/operator-session-store.ts'

type Caller<N extends OpsRouteName> = OpsEndpoints[N]['access'] extends 'public' ? Principal | undefined : Principal

export type Context<N extends OpsRouteName = OpsRouteName> = {
  principal: Caller<N>
  request: FastifyRequest
  reply: FastifyReply
  now: Date
}

/** Does what one endpoint of operations promises; input is parsed and access checked. A thrown `Problem` becomes its answer. */
export type Handler<N extends OpsRouteName> = (
  input: OpsParsedRequest<N>,
  context: Context<N>,
) => Promise<OpsResponseOf<N> | FastifyReply> | OpsResponseOf<N>

export type Handlers = { [N in OpsRouteName]: Handler<N> }
