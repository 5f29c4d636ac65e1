import { parseArgs } from 'node:util'
import { describeChannel } from '@dam/ops/src/notify/describe-channels.ts'
import { openChannels } from '@dam/ops/src/notify/start-sender.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { readRunbook, runbookText } from '@dam/ops/src/runbook/runbook.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { policyFile } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam runbook [<word>]      the runbook, made from the policy and the commands there are, as Markdown

With a word: the chapters whose title has it, for example ./dam runbook rollback. --json for machines.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const { policy } = readPolicy(policyFile())
  const config = readOpsConfig(shellEnvironment)
  await using channels = openChannels(config, '')
  const chapters = readRunbook({
    policy,
    channelState: (address) => describeChannel(channels, (kind) => config.notifyModes?.get(kind) ?? 'live', address),
  })
  const word = positionals.join(' ').toLowerCase()
  const chosen = chapters.filter(({ title }) => title.toLowerCase().includes(word))
  if (chosen.length === 0)
    throw new CommandFailure(`No chapter has "${word}". There is: ${chapters.map(({ title }) => title).join(', ')}.`)
  console.log(values.json ? JSON.stringify(chosen, null, 2) : runbookText(chosen))
  return 0
}
