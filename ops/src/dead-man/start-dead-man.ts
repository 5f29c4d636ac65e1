import type { OpsConfig } from '../config.ts'
import type { Outage } from './outage-file.ts'
import { watchHeartbeat } from './watch-heartbeat.ts'

export type DeadMan = {
  /** Of the operations' store. */
  folder: string
  config: OpsConfig
  /** Where the ops process listens; also where people find the console. */
  consoleUrl: string
  /** Called when the ops process does not answer either: not one that merely owes calls. */
  onHanging?: () => void
  say: (message: string) => void
  lateMs?: number
}

/**
 * Watches the engine from another process (`./dam up`, `./dam host up`, each keeper). Channels are loaded only when there is something to
 * tell: a watcher costs next to nothing.
 */
export const startDeadMan = (deadMan: DeadMan): AsyncDisposable =>
  watchHeartbeat({
    folder: deadMan.folder,
    say: deadMan.say,
    tell: (outage) => tell(deadMan, outage),
    onSilent: async () => {
      if (deadMan.onHanging && !(await answers(deadMan.consoleUrl))) deadMan.onHanging()
    },
    ...(deadMan.lateMs === undefined ? {} : { lateMs: deadMan.lateMs }),
  })

async function answers(consoleUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${consoleUrl}/livez`, { signal: AbortSignal.timeout(3_000) })).ok
  } catch {
    return false
  }
}

async function tell(deadMan: DeadMan, outage: Outage & { isOver: boolean }): Promise<string[]> {
  const [{ openChannels }, { readPolicy }, { pageDirectly }] = await Promise.all([
    import('../notify/start-sender.ts'),
    import('../policy/read-policy.ts'),
    import('./page-directly.ts'),
  ])
  const { config, consoleUrl, say } = deadMan
  await using channels = openChannels(config, consoleUrl)
  const { pagerOfRecord, oncall, oncallEmail } = readPolicy(config.policyFile).policy.channels
  const seconds = Math.round((Date.now() - Date.parse(outage.since)) / 1_000)
  // Awaited here: the channels close when this function returns.
  return await pageDirectly(
    {
      channels,
      addresses: [pagerOfRecord, oncall, oncallEmail],
      isLive: (kind) => (config.notifyModes?.get(kind) ?? 'live') === 'live',
      say,
    },
    {
      event: outage.isOver ? 'engine-back' : 'engine-silent',
      subject: 'engine:heartbeat',
      severity: 'P0',
      title: outage.isOver
        ? 'The alert engine of DAM is back'
        : 'The alert engine of DAM is silent: nobody is watching',
      text: outage.isOver
        ? `It was silent from ${outage.since}. What it owed goes out now.`
        : `No heartbeat for ${seconds} s: the ops process is dead, hangs, or owes calls that it cannot make. Alerts do not go out until it is back. Look at the machine: ./dam host status, the log of ops, the disk.`,
      facts: [{ label: 'Since', value: outage.since }],
      links: [{ label: 'Console', url: consoleUrl }],
      environment: 'operations',
      isResolution: outage.isOver,
      at: new Date().toISOString(),
    },
    `engine/${outage.since}/${outage.isOver ? 'back' : 'silent'}`,
  )
}
