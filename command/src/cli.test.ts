import { execFile, execFileSync } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from './commands.ts'
import { root } from './config.ts'
import { quote } from './shell.ts'
import { tableText } from './table.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

async function dam(args: string[], env: Record<string, string> = {}) {
  try {
    const { stdout, stderr } = await promisify(execFile)(path.join(root, 'dam'), args, {
      env: { ...process.env, DATABASE_URL: database.connectionString, ...env },
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

describe('./dam', () => {
  test('lists every command, and each command explains itself', async () => {
    const { stdout } = await dam(['--help'])
    for (const [name, entry] of Object.entries(commands)) {
      expect(stdout).toContain(name)
      expect((await entry.load()).help).toContain(`./dam ${name}`)
    }
    expect((await dam(['up', '--help'])).stdout).toContain('DAM_ADMIN_USERNAME')
  })

  test('names the way out of a command that does not exist', async () => {
    expect(await dam(['frobnicate'])).toMatchObject({ code: 1, stderr: expect.stringContaining('./dam --help') })
  })

  test('reports all mistakes in the settings together and never shows a secret', async () => {
    const { code, stderr } = await dam(['config'], {
      PORT: 'eighty',
      DAM_ADMIN_PASSWORD: 'short',
      DAM_LOG_LEVEL: 'loud',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('PORT')
    expect(stderr).toContain('DAM_LOG_LEVEL')
    expect(stderr).not.toContain('short')
    const { stdout } = await dam(['config', '--json'], { DAM_ADMIN_PASSWORD: 'a very secret password' })
    expect(stdout).toContain('[redacted]')
    expect(stdout).not.toContain('very secret')
  })

  test("migrates down and up in Django's words", async () => {
    expect((await dam(['migrate', 'backend', 'zero'])).stdout).toContain('undoing 0001-first')
    expect((await dam(['migrate', '--list'])).stdout).toContain('[ ] 0001-first')
    expect((await dam(['migrate', 'backend', '--plan'])).stdout).toContain('apply 0001-first')
    expect((await dam(['migrate', 'backend', '0001'])).stdout).toContain('applying 0001-first')
    expect((await dam(['migrate'])).code).toBe(0)
    expect((await dam(['migrate', '--list'])).stdout).toContain('[X] 0001-first')
    expect(await dam(['migrate', 'nobody'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is: backend'),
    })
  })

  test('a pipe gets all of a long answer', async () => {
    const { stdout } = await dam(['psql', '-c', `select repeat('x', 300000) as long`])
    expect(stdout.match(/x{300000}/)).not.toBeNull()
  })

  test('answers one statement without psql', async () => {
    const { stdout } = await dam(['psql', '-c', `select 1 as one, null as nothing, array['a','b'] as both`])
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      ' one | nothing | both',
      '-----+---------+-------',
      ' 1   |         | {a,b}',
      '(1 row)',
    ])
    expect(await dam(['psql', '-c', 'select nonsense'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nonsense'),
    })
  })

  test("answers the runbook's line about slow queries as it stands", async () => {
    const { stdout, code } = await dam([
      'psql',
      '-c',
      'SELECT * FROM pg_stat_statements ORDER BY total_time DESC LIMIT 10;',
    ])
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/total_exec_time.*\| total_time/)
  })

  test('adds users and keeps the last administrator', async () => {
    const addAnna = `printf 'correct horse battery\\n' | ${quote(path.join(root, 'dam'))} user add anna --role administrator`
    execFileSync('sh', ['-c', addAnna], { env: { ...process.env, DATABASE_URL: database.connectionString } })
    expect((await dam(['user', 'list'])).stdout).toMatch(/anna\s+\| administrator/)
    expect(await dam(['user', 'set-role', 'anna', 'viewer'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('only administrator'),
    })
  })

  test('says in JSON what this machine has, and ends with 1 only for what prevents running', async () => {
    const { stdout } = await dam(['doctor', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ healthy: true })
    const broken = await dam(['doctor', '--json'], { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' })
    expect(broken.code).toBe(1)
    const { findings } = JSON.parse(broken.stdout) as { findings: { name: string; state: string }[] }
    expect(findings.filter((finding) => finding.state === 'fatal').map((finding) => finding.name)).toEqual([
      'external database',
    ])
  })
})

test.each(['plain', 'with space', `it's`, '$HOME `id` "x"', ''])('the shell reads %j back as one word', (word) => {
  expect(execFileSync('sh', ['-c', `printf %s ${quote(word)}`], { encoding: 'utf8' })).toBe(word)
})

test('a table counts its rows like psql', () => {
  expect(tableText(['a'], [[1], [22]])).toBe(' a\n----\n 1\n 22\n(2 rows)\n')
})
