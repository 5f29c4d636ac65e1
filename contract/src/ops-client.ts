import { createClientOf, type Answer, type CallOptions, type ClientOptions } from './client.ts'
import { opsApiBase, opsRoutes, type OpsRouteName } from './ops-routes.ts'
import type { OpsRequestOf, OpsResponseOf } from './ops-types.ts'

export type OpsClient = <N extends OpsRouteName>(
  name: N,
  request: OpsRequestOf<N>,
  options?: CallOptions,
) => Promise<Answer<OpsResponseOf<N>>>

/** A client of the ops process. Throws `ApiError`. */
export const createOpsClient = (options: ClientOptions = {}): OpsClient =>
  createClientOf(opsApiBase, opsRoutes, options) as OpsClient
