import { userInfo } from 'node:os'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import type { GateDeps } from '@dam/ops/src/gates/gate-deps.ts'
import { gateDepsOf, gatePolicyOf } from '@dam/ops/src/gates/wire-gates.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { openStore, type Store } from '@dam/ops/src/store.ts'
import { root, shellEnvironment } from '../config.ts'
import { operationsPlace, requireHost } from '../operations.ts'

/** A host's gates: what the commands about gates work on. */
export type GatePlace = Disposable & {
  hostDir: string
  store: Store
  environments: Environment[]
  repositoryDir: string
  deps: GateDeps
}

/** Opens the gates of the prepared host that is meant. Throws, saying how to prepare one. */
export function openGates(options: { host: string | undefined; repository: string | undefined }): GatePlace {
  const hostDir = requireHost(options.host)
  const { opsDir, environments } = operationsPlace(hostDir)
  const store = openStore(opsDir)
  const repositoryDir = options.repository ?? root
  const file = shellEnvironment['DAM_POLICY']
  const deps = gateDepsOf({
    store,
    hostDir,
    environments,
    repositoryDir,
    policy: gatePolicyOf(readPolicy(file).policy),
    forge: {
      githubToken: shellEnvironment['DAM_GITHUB_TOKEN'],
      githubApiUrl: shellEnvironment['DAM_GITHUB_API'],
      gitlabToken: shellEnvironment['DAM_GITLAB_TOKEN'],
      gitlabApiUrl: shellEnvironment['DAM_GITLAB_API'],
      repository: shellEnvironment['DAM_REPOSITORY'],
    },
  })
  return { hostDir, store, environments, repositoryDir, deps, [Symbol.dispose]: () => store.close() }
}

/** Who runs this command, for records a machine makes. */
export const whoRuns = (): string => userInfo().username
