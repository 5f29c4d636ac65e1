const everyMs = 60_000

/**
 * Tells a watcher outside this machine (healthchecks.io and the like) that all is well: a GET a minute, only after clean audits. It
 * pages when the GETs stop, also when machine, network or power are gone.
 */
export function outsideHeartbeat(url: string, say: (message: string) => void): (now: Date) => void {
  let askedAt = Number.NEGATIVE_INFINITY
  return () => {
    if (performance.now() - askedAt < everyMs - 1_000) return
    askedAt = performance.now()
    fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'follow' }).then(
      async (response) => {
        await response.body?.cancel()
        if (!response.ok) say(`the outside heartbeat was answered ${response.status}; check DAM_HEARTBEAT_URL`)
      },
      (error: unknown) =>
        say(`the outside heartbeat does not arrive: ${error instanceof Error ? error.message : String(error)}`),
    )
  }
}
