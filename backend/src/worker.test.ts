import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskList } from 'graphile-worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, sql, type Database } from '@dam/platform/database'
import { addJob } from '@dam/platform/jobs'
import { openLog, type Log } from '@dam/platform/log'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { startWorker } from './worker.ts'

let own: TestDatabase
let folder: string
let log: Log
const databases: Database[] = []
beforeAll(async () => {
  own = await testDatabase()
  folder = await mkdtemp(path.join(tmpdir(), 'dam-worker-'))
  log = openLog({ directory: folder, process: 'worker', level: 'warn', stdout: false })
})
afterAll(async () => {
  for (const database of databases) await database.end()
  await own[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const worker = (tasks: TaskList, handBackAfterMs = 5_000) => {
  const database = openDatabase({
    connectionString: own.connectionString,
    applicationName: 'dam worker test',
    maxConnections: 6,
  })
  databases.push(database)
  return { database, start: () => startWorker({ database, tasks, concurrency: 2, log, handBackAfterMs }) }
}

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let n = 0; n < 400 && !(await holds()); n++) await sleep(25)
}

test('a job that does not end in time goes to the worker of the next release at once, with its attempt', async () => {
  const { promise: never, resolve: endHung } = Promise.withResolvers<void>()
  let begun = 0
  const attempts: number[] = []
  const before = worker(
    {
      slow: async () => {
        begun++
        await never
      },
    },
    300,
  )
  const leaving = await before.start()
  await addJob(before.database, 'slow', { n: 1 }, { maxAttempts: 1 })
  await until(() => begun === 1)
  const after = worker({
    slow: async (_, { job }) => {
      attempts.push(job.attempts)
    },
  })
  const coming = await after.start()
  await leaving.stop()
  await until(() => attempts.length > 0)
  expect(attempts).toEqual([1])
  endHung()
  await coming.stop()
})

test('a job that ends in time is done once, and the worker beside takes what comes next', async () => {
  const done: string[] = []
  let begun = false
  const before = worker({
    short: async () => {
      begun = true
      await sleep(400)
      done.push('before')
    },
  })
  const leaving = await before.start()
  await addJob(before.database, 'short', {})
  await until(() => begun)
  const stopping = leaving.stop()
  const after = worker({
    short: async () => {
      done.push('after')
    },
  })
  const coming = await after.start()
  await addJob(after.database, 'short', {})
  await stopping
  await until(() => done.length === 2)
  await sleep(200)
  expect(done.toSorted()).toEqual(['after', 'before'])
  await coming.stop()
})

test('of two releases side by side each takes only the tasks it knows', async () => {
  const ran: string[] = []
  const task = (name: string) => async () => {
    ran.push(name)
  }
  const before = worker({ known: task('known by before') })
  const after = worker({ 'brand-new': task('brand-new by after') })
  const [one, two] = [await before.start(), await after.start()]
  for (let n = 0; n < 10; n++) {
    await addJob(before.database, 'known', {})
    await addJob(before.database, 'brand-new', {})
  }
  await until(() => ran.length === 20)
  expect(ran.filter((name) => name === 'known by before')).toHaveLength(10)
  expect(ran.filter((name) => name === 'brand-new by after')).toHaveLength(10)
  await two.stop()
  await addJob(before.database, 'brand-new', {})
  await sleep(2_500)
  expect(ran).toHaveLength(20)
  expect(
    await before.database.row(sql`
      select attempts, locked_at from graphile_worker._private_jobs j
      join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = 'brand-new'`),
  ).toEqual({ attempts: 0, locked_at: null })
  await one.stop()
})

test('a starting worker does not take away what a living one works on', async () => {
  let runs = 0
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const before = worker({
    long: async () => {
      runs++
      await held
    },
  })
  const one = await before.start()
  await addJob(before.database, 'long', {})
  await until(() => runs === 1)
  await before.database.run(
    sql`update graphile_worker._private_jobs set locked_at = now() - interval '10 minutes' where locked_at is not null`,
  )
  const after = worker({
    long: async () => {
      runs++
    },
  })
  const two = await after.start()
  await sleep(3_000)
  expect(runs).toBe(1)
  letGo()
  await Promise.all([one.stop(), two.stop()])
})
