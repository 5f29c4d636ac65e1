import { userInfo } from 'node:os'
import type { DeployerDeps } from '@dam/ops/src/deployments/deployer-deps.ts'
import { wireDeployer } from '@dam/ops/src/deployments/wire-deployer.ts'
import { evaluateGates } from '@dam/ops/src/gates/evaluate-gates.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { parseDuration } from '@dam/ops/src/policy/units.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { openGates } from '../gates/gate-place.ts'
import { progressPrinter } from './progress-printer.ts'

export type OpenDeployer = Disposable & { deps: DeployerDeps; hostDir: string }

/** The deployer of one environment of the host that is meant, with everything it is made of. */
export function openDeployer(options: {
  host: string | undefined
  environment: string
  bake?: string | undefined
  by?: string | undefined
  isQuiet?: boolean
}): OpenDeployer {
  const gates = openGates({ host: options.host, repository: undefined })
  const { hostDir, store } = gates
  const printer = progressPrinter(process.stderr)
  const bakeMs = options.bake === undefined ? undefined : parseDuration(options.bake)
  if (bakeMs === null) throw new CommandFailure(`"${options.bake ?? ''}" is no duration. Write 30s, 2m or 15m.`)
  const deps = wireDeployer({
    store,
    hostDir,
    environment: options.environment,
    who: options.by ?? userInfo().username,
    policy: readPolicy(shellEnvironment['DAM_POLICY']).policy,
    bakeMs,
    evaluateGates: (release, requestedBy) =>
      evaluateGates(gates.deps, { release, environment: options.environment, now: new Date(), requestedBy }),
    progress: options.isQuiet ? () => undefined : printer,
  })
  return {
    deps,
    hostDir,
    [Symbol.dispose]: () => {
      printer[Symbol.dispose]()
      gates[Symbol.dispose]()
    },
  }
}
