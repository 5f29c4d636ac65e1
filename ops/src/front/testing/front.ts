import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { controlSocketOf } from '../control-server.ts'
import type { Pointer, Upstream } from '../front-api.ts'
import { createFrontClient, type FrontClient } from '../front-client.ts'
import { usualFrontSettings, type FrontSettings } from '../front-settings.ts'
import { createFront } from '../front.ts'

export const secret = 'a-secret-of-the-environment'

/** `<temporary>/staging/run` with a secret. */
export function runFolder(): { runDir: string; remove: () => void } {
  const root = mkdtempSync(path.join(tmpdir(), 'front-'))
  const runDir = path.join(root, 'staging', 'run')
  mkdirSync(runDir, { recursive: true })
  writeFileSync(path.join(runDir, 'synthetic.secret'), `${secret}\n`, { mode: 0o600 })
  return { runDir, remove: () => rmSync(root, { recursive: true, force: true }) }
}

export type TestFront = AsyncDisposable & {
  origin: string
  port: number
  runDir: string
  client: FrontClient
  /** Points to these with the next fencing token. */
  point(active: Upstream | null, more?: Partial<Pointer>): Promise<void>
}

export const pointerTo = (active: Upstream | null, more: Partial<Pointer> = {}): Pointer => ({
  environment: 'staging',
  fencingToken: 1,
  active: active && { slot: active.slot, tag: active.tag, port: active.port },
  control: null,
  maintenance: null,
  ...more,
})

/** A front inside the test's own process, on real sockets. */
export async function testFront(
  options: { active?: Upstream; settings?: Partial<FrontSettings>; runDir?: string } = {},
): Promise<TestFront> {
  const folder = options.runDir ? { runDir: options.runDir, remove: () => undefined } : runFolder()
  const front = createFront({
    runDir: folder.runDir,
    environment: 'staging',
    settings: { ...usualFrontSettings, ...options.settings },
    args: [],
    now: () => new Date(),
    log: () => undefined,
    unexpectedErrors: () => 0,
  })
  await front.serve({ host: '127.0.0.1', port: 0 })
  const { port } = front.address() as AddressInfo
  const client = createFrontClient(controlSocketOf(folder.runDir))
  let token = 1
  const point: TestFront['point'] = async (active, more) => {
    await client.switchTo(pointerTo(active, { fencingToken: token++, ...more }))
  }
  if (options.active) await point(options.active)
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    runDir: folder.runDir,
    client,
    point,
    [Symbol.asyncDispose]: async () => {
      await front.leave(200)
      folder.remove()
    },
  }
}
