import { argoFiles } from './argo.ts'
import { composeFiles } from './compose.ts'
import type { EngineFacts, EngineFile } from './engine-facts.ts'
import { kamalFiles } from './kamal.ts'
import { kubernetesFiles } from './kubernetes.ts'
import { caddyFiles, haproxyFiles } from './proxies.ts'
import { systemdFiles } from './systemd.ts'

/** Engines that can bring out DAM or stand before it, with what they read. Paths are below the engine's folder. */
export const engines = {
  kubernetes: kubernetesFiles,
  argo: argoFiles,
  kamal: kamalFiles,
  compose: composeFiles,
  haproxy: (facts) => haproxyFiles(facts),
  caddy: (facts) => caddyFiles(facts),
  systemd: systemdFiles,
} as const satisfies Record<string, (facts: EngineFacts) => EngineFile[]>

export type EngineName = keyof typeof engines

export const isEngineName = (name: string): name is EngineName => Object.hasOwn(engines, name)
export const engineNames = Object.keys(engines) as EngineName[]
