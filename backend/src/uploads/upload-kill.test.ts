import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Upload } from 'tus-js-client'
import { expect, test } from 'vitest'
import { openDatabase, sql } from '@dam/platform/database'
import { testDatabase } from '@dam/platform/testing/database'
import { fsck, isSound } from '../storage/fsck.ts'
import { bytesOf, sha256 } from './testing/tus.ts'

const root = path.join(import.meta.dirname, '../../..')
const [uploads, kills, atOnce] = [16, 6, 4]

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

test('kill -9 of the web process at random moments costs no acknowledged upload', { timeout: 240_000 }, async () => {
  await using testDb = await testDatabase()
  const folder = await mkdtemp(path.join(tmpdir(), 'dam-kill-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let web: ChildProcess | undefined
  let said = ''
  const start = async (): Promise<void> => {
    const child = spawn(process.execPath, ['backend/src/main.ts', 'web'], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: testDb.connectionString,
        DAM_DATA: folder,
        HOST: '127.0.0.1',
        PORT: String(port),
        DAM_ADMIN_USERNAME: 'killer',
        DAM_ADMIN_PASSWORD: 'kill-minus-nine',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    web = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
    for (let n = 0; n < 1_200; n++) {
      if (child.exitCode !== null) throw new Error(`the web process ended: ${said}`)
      if ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok) return
      await sleep(50)
    }
    throw new Error(`the web process did not become ready: ${said}`)
  }
  const database = openDatabase({
    connectionString: testDb.connectionString,
    applicationName: 'dam kill test',
    maxConnections: 2,
  })
  try {
    await start()
    const login = await fetch(`${url}/api/v4/auth/token/obtain/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'killer', password: 'kill-minus-nine' }),
    })
    const headers = { authorization: `Token ${((await login.json()) as { token: string }).token}` }

    let killed = 0
    let acknowledged = 0
    const killing = (async () => {
      while (killed < kills) {
        await sleep(50 + Math.random() * 500)
        web?.kill('SIGKILL')
        killed++
        await start()
      }
    })()
    const files = Array.from({ length: uploads }, () => bytesOf(100_000 + Math.floor(Math.random() * 3_000_000)))
    const waiting = [...files]
    const lane = async (): Promise<void> => {
      for (let bytes = waiting.shift(); bytes; bytes = waiting.shift()) {
        // Keep some for every kill.
        while (waiting.length / uploads < 1 - (killed + 1) / kills && killed < kills) await sleep(20)
        await send(url, headers, bytes)
        acknowledged++
      }
    }
    await Promise.all([killing, ...Array.from({ length: atOnce }, lane)])
    expect({ killed, acknowledged }).toEqual({ killed: kills, acknowledged: uploads })

    for (const bytes of files) {
      const assets = await database.rows<{ id: number }>(sql`select id from asset where sha256 = ${sha256(bytes)}`)
      expect(assets).toHaveLength(1)
      const response = await fetch(`${url}/api/v4/dam/assets/${assets[0]?.id}/download/`, { headers })
      expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(bytes))
    }
    expect(await database.row(sql`select count(*)::int as n from asset`)).toEqual({ n: uploads })
    expect(isSound(await fsck({ database, blobsFolder: path.join(folder, 'blobs') }, { hash: true }))).toBe(true)
  } finally {
    web?.kill('SIGKILL')
    await database.end()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})

function send(url: string, headers: Record<string, string>, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    new Upload(bytes, {
      endpoint: `${url}/api/v4/uploads/`,
      headers,
      chunkSize: 256 * 1024,
      metadata: { filename: 'killed.bin' },
      retryDelays: [100, 200, ...Array<number>(200).fill(300)],
      onSuccess: () => resolve(),
      onError: reject,
    }).start()
  })
}
