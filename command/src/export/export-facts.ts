import { manifest, settings } from '@dam/backend/src/config.ts'
import { opsSettings } from '@dam/ops/src/config.ts'
import { type EngineFacts, engineFactsOf } from '@dam/ops/src/engines/engine-facts.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { policyFile } from '../watch/watch-place.ts'

/** What the files in `deploy/` are made for. */
export const shippedNames = { tag: `v${manifest.version}`, image: 'registry.example.org/dam' }

/** Facts for the files of other engines from the policy in force and the defaults of the settings. */
export const exportFacts = (names: { tag: string; image: string }, file: string = policyFile()): EngineFacts =>
  engineFactsOf(
    readPolicy(file),
    {
      port: settings.port.parse(settings.port.default),
      opsPort: opsSettings.opsPort.parse(opsSettings.opsPort.default),
      uploadMaxBytes: settings.uploadMaxBytes.parse(settings.uploadMaxBytes.default),
      databasePool: settings.databasePoolSize.parse(settings.databasePoolSize.default),
    },
    names,
  )
