import { syntheticHeader } from '@dam/contract/synthetic'

type Sample = { at: number; isReady: boolean }

const everyMs = 1_000
const kept = 60

/** Asks `/readyz` of one slot every second until stopped; the newest minute is kept. */
export function startReadinessProbe(options: { baseUrl: string; syntheticSecret: string }) {
  const samples: Sample[] = []
  let isAsking = false
  const ask = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    const sample = { at: Date.now(), isReady: await isReady(options) }
    isAsking = false
    samples.push(sample)
    if (samples.length > kept) samples.shift()
  }
  const timer = setInterval(() => void ask(), everyMs)
  void ask()
  return {
    samples: (): readonly Sample[] => [...samples],
    stop: () => clearInterval(timer),
  }
}

async function isReady({ baseUrl, syntheticSecret }: { baseUrl: string; syntheticSecret: string }): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/readyz`, {
      headers: { [syntheticHeader]: syntheticSecret },
      // Less than the time between two: a process that hangs fails three times within three seconds.
      signal: AbortSignal.timeout(everyMs - 100),
    })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}
