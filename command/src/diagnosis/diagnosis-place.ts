import { openPlace } from '@dam/ops/src/diagnosis/open-place.ts'
import type { DiagnosisPlace } from '@dam/ops/src/diagnosis/place.ts'
import { chooseEnvironment } from '../backup-place.ts'
import { readEffectiveConfig } from '../config.ts'
import { openWatchPlace, type WatchPlace } from '../watch/watch-place.ts'

export type DiagnosisAccess = Disposable & { watch: WatchPlace; place: DiagnosisPlace }

/** Options that every command about one environment has. */
export const placeOptions = {
  environment: { type: 'string', short: 'e' },
  host: { type: 'string' },
  by: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** Opens the environment that is meant; starts nothing, so that it works while application and database are down. */
export function openDiagnosisPlace(values: {
  environment?: string | undefined
  host?: string | undefined
  by?: string | undefined
  cdn?: string | undefined
}): DiagnosisAccess {
  const watch = openWatchPlace(values.host, values.by)
  const environment = chooseEnvironment(watch.place, values.environment)
  const place = openPlace({
    environment,
    store: watch.store,
    shell: readEffectiveConfig().environment,
    cdnUrl: values.cdn ?? watch.policy.service.cdnUrl,
    now: watch.now,
  })
  return { watch, place, [Symbol.dispose]: () => watch[Symbol.dispose]() }
}
