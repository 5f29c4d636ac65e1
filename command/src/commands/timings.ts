import { parseArgs } from 'node:util'
import { addressOf } from '@dam/ops/src/signals/collect-sample.ts'
import { reasonOf } from '@dam/ops/src/diagnosis/probe.ts'
import { readTimings } from '@dam/ops/src/diagnosis/probes/timings.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { CommandFailure } from '../failure.ts'

export const help = `
Usage: ./dam timings [<address or path>] [--environment <name>] [--header "name: value"] [--json]

Asks once and prints where the time went, as  curl -w "@curl-format.txt"  does, with the cache headers. A path such as
/api/v4/dam/assets/ is asked of the environment itself.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...placeOptions, header: { type: 'string', multiple: true, default: [] } },
  })
  const [given = '/'] = positionals
  if (positionals.length > 1) throw new CommandFailure(help.trim())
  const headers = Object.fromEntries(
    values.header.map((line) => {
      const at = line.indexOf(':')
      if (at <= 0) throw new CommandFailure(`"${line}" is no header. Write --header "name: value".`)
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  const url = given.startsWith('/') ? `${baseOf(values)}${given}` : given
  if (!URL.canParse(url))
    throw new CommandFailure(`"${given}" is no address. Write https://… or a path such as /health.`)
  const timings = await readTimings(url, headers).catch((error: unknown) => {
    throw new CommandFailure(`${url} does not answer: ${reasonOf(error)}`)
  })
  if (values.json) console.log(JSON.stringify(timings, null, 2))
  else {
    const line = (name: keyof typeof timings): string =>
      `${`${name}:`.padStart(20)}  ${timings[name] === null ? '-' : `${(timings[name] as number).toFixed(6)}s`}`
    for (const name of [
      'time_namelookup',
      'time_connect',
      'time_appconnect',
      'time_pretransfer',
      'time_starttransfer',
    ] as const)
      console.log(line(name))
    console.log(`${' '.repeat(20)}----------`)
    console.log(line('time_total'))
    console.log(`${'http_status:'.padStart(20)}  ${timings.http_code}`)
    console.log(`${'size_download:'.padStart(20)}  ${timings.size_download} bytes`)
    for (const name of ['cache-control', 'etag', 'age', 'x-cache', 'content-encoding', 'vary'])
      if (timings.headers[name] !== undefined) console.log(`${`${name}:`.padStart(20)}  ${timings.headers[name]}`)
  }
  return timings.http_code >= 500 ? 1 : 0
}

function baseOf(values: { environment?: string | undefined; host?: string | undefined }): string {
  using access = openDiagnosisPlace(values)
  return addressOf(access.place.environment)
}
