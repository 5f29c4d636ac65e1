import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processIdentity } from '../process-identity.ts'
import { describeRunningPostgres } from './describe.ts'
import { postgresLayout } from './layout.ts'
import { livingPostmaster, signal, stopPostmaster } from './postmaster.ts'
import { type EmbeddedPostgres, startPostgres, type StartOptions } from './start.ts'

const isRoot = process.getuid?.() === 0
const processes: ChildProcess[] = []
const servers: EmbeddedPostgres[] = []
let dataDir: string
let said: string[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'dam postgres '))
  chmodSync(dataDir, 0o711)
  said = []
})

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop({ immediately: true })
  for (const child of processes.splice(0)) child.kill('SIGKILL')
  const left = livingPostmaster(clusterDir())
  if (left) await stopPostmaster(left.identity, clusterDir(), { fastMs: 5_000, immediateMs: 2_000, killMs: 2_000 })
  rmSync(dataDir, { recursive: true, force: true })
})

const clusterDir = () => postgresLayout(dataDir).clusterDir
const pidFile = () => join(clusterDir(), 'postmaster.pid')
const say = (message: string) => void said.push(message)

async function start(options: Partial<StartOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startPostgres({ dataDir, log: { info: say, warn: say }, ...options })
  servers.push(server)
  return server
}

/** A supervisor in a process of its own. */
async function startElsewhere() {
  const program = fileURLToPath(new URL('../testing/run-postgres.ts', import.meta.url))
  const supervisor = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] })
  processes.push(supervisor)
  let errors = ''
  supervisor.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  for await (const line of createInterface({ input: supervisor.stdout })) {
    return { supervisor, ...(JSON.parse(line) as { pid: number; connectionString: string; adopted: boolean }) }
  }
  throw new Error(errors)
}

async function query<Row extends object>(connectionString: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row & pg.QueryResultRow>(statement)).rows
  } finally {
    await client.end()
  }
}

const rowsOf = async (url: string) =>
  (await query<{ id: number }>(url, 'select id from kept order by id')).map((row) => row.id)

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function untilGone(pid: number): Promise<void> {
  while (processIdentity(pid)) await sleep(10)
}

describe('the built-in PostgreSQL', () => {
  test('starts, answers over socket and TCP with a password, and keeps rows over a stop', async () => {
    const first = await start()
    expect(first.version).toMatch(/^18\./)
    await query(first.connectionString, 'create table kept (id int); insert into kept values (1)')
    const running = describeRunningPostgres(dataDir)
    expect(running).toMatchObject({ pid: first.pid, ready: true, connectionString: first.connectionString })
    const { host, port, user, database, passwordFile } = running?.tcp ?? expect.fail('not described')
    expect(readFileSync(passwordFile, 'utf8')).toContain(`${host}:${port}:*:${user}:`)
    const withoutPassword = `postgresql://${user}@${host}:${port}/${database}`
    await expect(query(withoutPassword, 'select 1')).rejects.toThrow()
    await first.stop()
    expect(describeRunningPostgres(dataDir)).toBeNull()

    const second = await start()
    expect(second.connectionString).toBe(first.connectionString)
    expect(await rowsOf(second.connectionString)).toEqual([1])
  })

  test('is taken over when its supervisor was killed, with nothing lost and nobody disturbed', async () => {
    const before = await startElsewhere()
    await query(before.connectionString, 'create table kept (id int); insert into kept values (1)')
    await killed(before.supervisor)
    expect(processIdentity(before.pid)).not.toBeNull()

    const after = await start()
    expect(after).toMatchObject({ adopted: true, pid: before.pid, connectionString: before.connectionString })
    expect(await rowsOf(after.connectionString)).toEqual([1])
    await after.stop()
    expect(processIdentity(before.pid)).toBeNull()
  })

  test('is stopped and started anew when the one left running has other settings', async () => {
    const before = await startElsewhere()
    await killed(before.supervisor)
    const after = await start({ durability: 'none' })
    expect(after.adopted).toBe(false)
    expect(after.pid).not.toBe(before.pid)
  })

  test('starts after everything was killed at once and has every row whose commit was answered', async () => {
    const before = await startElsewhere()
    await query(before.connectionString, 'create table kept (id int)')
    for (let id = 1; id <= 20; id++) await query(before.connectionString, `insert into kept values (${id})`)
    signal(before.pid, 'SIGKILL')
    await killed(before.supervisor)
    expect(existsSync(pidFile())).toBe(true)

    const after = await start()
    expect(after.adopted).toBe(false)
    expect(await rowsOf(after.connectionString)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('starts when its process number now belongs to another program, and leaves that one alone', async () => {
    await (await start()).stop()
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' })
    processes.push(stranger)
    writeFileSync(pidFile(), `${stranger.pid}\n${clusterDir()}\n1700000000\n5432\n/tmp\n127.0.0.1\n1 1\nready   \n`)
    const after = await start()
    expect(after.adopted).toBe(false)
    expect(await query(after.connectionString, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(processIdentity(stranger.pid ?? 0)).not.toBeNull()
  })

  test('starts when its process number belongs to a zombie', async () => {
    await (await start()).stop()
    // The shell starts a child and then becomes a program that never asks how its children ended.
    const parent = spawn('sh', ['-c', 'sleep 599 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] })
    processes.push(parent)
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const zombie = Number(line)
    while (processIdentity(parent.pid ?? 0)?.commandLine !== 'sleep 600') await sleep(10)
    process.kill(zombie, 'SIGKILL')
    await untilGone(zombie)
    expect(() => process.kill(zombie, 0)).not.toThrow()
    writeFileSync(pidFile(), `${zombie}\n${clusterDir()}\n1700000000\n5432\n/tmp\n127.0.0.1\n1 1\nready   \n`)
    expect((await start()).adopted).toBe(false)
  })

  test('starts when a backend of a killed server still holds the shared memory', async () => {
    const before = await startElsewhere()
    // Busy in the server without a look at whether the postmaster lives.
    const busy = query(
      before.connectionString,
      `do $$ declare until timestamptz := clock_timestamp() + interval '60 s';
             begin while clock_timestamp() < until loop end loop; end $$`,
    ).catch((error: unknown) => error)
    while (
      (
        await query(
          before.connectionString,
          `select from pg_stat_activity where query like 'do %' and state = 'active'`,
        )
      ).length === 0
    ) {
      await sleep(20)
    }
    signal(before.pid, 'SIGKILL')
    await killed(before.supervisor)
    const after = await start()
    expect(await query(after.connectionString, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(said.join('\n')).toContain('left behind')
    expect(await busy).toBeInstanceOf(Error)
  })

  test('is started again when it is killed, under the same address', async () => {
    const server = await start()
    await query(server.connectionString, 'create table kept (id int); insert into kept values (1)')
    const killedPid = server.pid
    signal(killedPid, 'SIGKILL')
    while (server.pid === killedPid) await sleep(20)
    expect(await rowsOf(server.connectionString)).toEqual([1])
    expect(said.join('\n')).toContain('starting it again')
  })

  test('is made to stop when it hangs', async () => {
    const server = await start()
    const identity = processIdentity(server.pid) ?? expect.fail('not running')
    signal(identity.pid, 'SIGSTOP')
    await expect(
      stopPostmaster(identity, clusterDir(), { fastMs: 200, immediateMs: 200, killMs: 5_000 }),
    ).resolves.toBe('killed')
    expect(processIdentity(identity.pid)?.startedAt).not.toBe(identity.startedAt)
  })

  test('is refused to a second supervisor, who is told which process has it', async () => {
    const first = await startElsewhere()
    await expect(start()).rejects.toThrow(`in use by process ${first.supervisor.pid}`)
    await killed(first.supervisor)
    expect((await start()).adopted).toBe(true)
  })

  test('moves to another port when its own was taken meanwhile', async () => {
    const first = await start()
    const port = describeRunningPostgres(dataDir)?.tcp.port
    await first.stop()
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    try {
      await start()
      expect(describeRunningPostgres(dataDir)?.tcp.port).not.toBe(port)
    } finally {
      squatter.close()
    }
  })

  test.each([
    ['spaces, quotes, a comma and accents', `it's "an", ünusual folder`],
    ['more bytes than a socket address holds', 'deep/'.repeat(30)],
  ])('runs in a folder whose name has %s', async (_, name) => {
    dataDir = join(dataDir, name)
    mkdirSync(dataDir, { recursive: true })
    const server = await start()
    expect(await query(server.connectionString, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(describeRunningPostgres(dataDir)?.pid).toBe(server.pid)
  })

  test('creates the cluster again when that was cut short', async () => {
    mkdirSync(`${clusterDir()}.unfinished/base`, { recursive: true })
    await start()
    expect(existsSync(`${clusterDir()}.unfinished`)).toBe(false)
  })

  test('does not touch a cluster of another major version', async () => {
    mkdirSync(clusterDir(), { recursive: true })
    writeFileSync(join(clusterDir(), 'PG_VERSION'), '17\n')
    await expect(start()).rejects.toThrow('written by PostgreSQL 17')
  })

  test('does not initialise over files that are not a database', async () => {
    mkdirSync(clusterDir(), { recursive: true })
    writeFileSync(join(clusterDir(), 'precious'), '')
    await expect(start()).rejects.toThrow('PG_VERSION is missing')
    expect(existsSync(join(clusterDir(), 'precious'))).toBe(true)
  })

  test('explains a start that fails with the end of the server log', async () => {
    await (await start()).stop()
    writeFileSync(join(clusterDir(), 'postgresql.custom.conf'), 'shared_buffers = nonsense\n')
    await expect(start()).rejects.toThrow(/shared_buffers/)
  })
})

describe.runIf(isRoot)('the built-in PostgreSQL for root', () => {
  test('runs in a folder that only root can enter', async () => {
    chmodSync(dataDir, 0o700)
    const server = await start({ runAs: 'mapped' })
    expect(await query(server.connectionString, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('runs as nobody where user namespaces are refused, also on a cluster that ran in the other way', async () => {
    const mapped = await start({ runAs: 'mapped' })
    await query(mapped.connectionString, 'create table kept (id int); insert into kept values (1)')
    await mapped.stop()
    const dropped = await start({ runAs: 'dropped' })
    expect(await rowsOf(dropped.connectionString)).toEqual([1])
    expect(readFileSync(`/proc/${dropped.pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534/m)
    await dropped.stop()
    const again = await start({ runAs: 'mapped' })
    expect(await rowsOf(again.connectionString)).toEqual([1])
  })

  test('says which folder keeps nobody out', async () => {
    const closed = join(dataDir, 'closed')
    mkdirSync(join(closed, 'data'), { recursive: true })
    chmodSync(closed, 0o700)
    dataDir = join(closed, 'data')
    await expect(start({ runAs: 'dropped' })).rejects.toThrow(`cannot enter ${closed}`)
  })
})
