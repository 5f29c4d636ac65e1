import { parseArgs } from 'node:util'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { compareCdn } from '@dam/ops/src/diagnosis/cdn/compare-cdn.ts'
import { purgeCdn } from '@dam/ops/src/diagnosis/cdn/purge-cdn.ts'
import { reasonOf } from '@dam/ops/src/diagnosis/probe.ts'
import { addressOf } from '@dam/ops/src/signals/collect-sample.ts'
import { shellEnvironment } from '../config.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam cdn check [<path> …]           the same addresses at edge and origin: status, etag, age, cache-control, bytes
       ./dam cdn purge <address> … --yes    purge them at the provider (DAM_CDN_PROVIDER), then compare again

The CDN is service.cdnUrl of the policy, or --cdn <address>. --environment <name>, --json.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...placeOptions, cdn: { type: 'string' }, yes: { type: 'boolean', default: false } },
  })
  const [verb, ...addresses] = positionals
  using access = openDiagnosisPlace(values)
  const { place, watch } = access
  const originUrl = addressOf(place.environment)
  const check = async (paths: readonly string[]): Promise<number> => {
    const comparison = await compareCdn({ cdnUrl: place.cdnUrl, originUrl, paths }).catch((error: unknown) => {
      throw new CommandFailure(`Nothing to compare: ${reasonOf(error)}`)
    })
    const { compared } = comparison
    if (values.json) console.log(JSON.stringify(comparison, null, 2))
    else
      console.log(
        tableText(
          ['path', 'edge', 'origin', 'age s', 'verdict'],
          compared.map(({ path, edge, origin, verdict, because }) => [
            path.slice(0, 60),
            edge.status ?? '-',
            origin.status ?? '-',
            edge.ageSeconds ?? '',
            verdict === 'same' ? 'same' : `${verdict}: ${because}`,
          ]),
        ),
      )
    return compared.every(({ verdict }) => verdict === 'same') ? 0 : 1
  }
  if (verb === 'check') return check(addresses)
  if (verb !== 'purge' || addresses.length === 0) throw new CommandFailure(help.trim())
  const urls = addresses.map((address) => new URL(address, place.cdnUrl ?? undefined).href)
  if (!values.yes) throw new CommandFailure(`Would purge ${urls.join(', ')}. Say --yes.`)
  const answers = await purgeCdn(readOpsConfig(shellEnvironment), urls, watch.now)
  recordAudit(place.store, {
    who: watch.who,
    action: 'cdn.purge',
    subject: place.environment.name,
    detail: { answers },
    now: watch.now,
  })
  for (const { url, ok, says } of answers) console.log(`${ok ? '✓' : '✗'} ${url}  ${says}`)
  if (!answers.every(({ ok }) => ok)) return 1
  return check(urls.map((url) => new URL(url).pathname))
}
