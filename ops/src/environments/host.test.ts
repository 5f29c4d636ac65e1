import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { environmentFolders, hostFolders } from './environment.ts'
import { environmentOf, readHost } from './host.ts'
import { initHost } from './init-host.ts'
import { systemdUnits } from './systemd-units.ts'
import { readSyntheticSecret } from './synthetic-secret.ts'

const ports = { production: 28_080, staging: 28_082, ops: 28_081, firstSlot: 28_200, lastSlot: 28_210 }
let hostDir: string
beforeEach(() => {
  hostDir = mkdtempSync(path.join(tmpdir(), 'dam-host-'))
})
afterEach(() => rmSync(hostDir, { recursive: true, force: true }))
const init = (more: Partial<Parameters<typeof initHost>[0]> = {}) =>
  initHost({ hostDir, host: '127.0.0.1', ports, ...more })

describe('preparing a host', () => {
  test('makes staging and production side by side, with secrets only their owner reads', async () => {
    expect(await init()).toMatchObject({ isNew: true, taken: [] })
    expect(Object.keys(readHost(hostDir).environments)).toEqual(['staging', 'production'])
    for (const name of ['staging', 'production']) {
      const { run, settingsFile } = environmentFolders(hostDir, name)
      expect(statSync(settingsFile).mode & 0o777).toBe(0o600)
      expect(statSync(path.join(run, 'synthetic.secret')).mode & 0o777).toBe(0o600)
      expect(readSyntheticSecret(run)).toHaveLength(32)
    }
    expect(statSync(hostFolders(hostDir).keys).mode & 0o777).toBe(0o700)
  })

  test('done again changes nothing and completes what is missing', async () => {
    await init()
    const { run, settingsFile } = environmentFolders(hostDir, 'staging')
    const secret = readSyntheticSecret(run)
    writeFileSync(settingsFile, 'DATABASE_URL=postgresql://x/y\nDAM_TRASH_DAYS=9\nEMPTY=\n')
    rmSync(environmentFolders(hostDir, 'production').settingsFile)
    const { isNew, config } = await init({ ports: { ...ports, staging: 9 } })
    expect(isNew).toBe(false)
    expect(config.environments['staging']?.port).toBe(ports.staging)
    expect(readSyntheticSecret(run)).toBe(secret)
    expect(environmentOf(hostDir, 'staging')).toMatchObject({
      databaseUrl: 'postgresql://x/y',
      settings: { DAM_TRASH_DAYS: '9' },
    })
    expect(readFileSync(environmentFolders(hostDir, 'production').settingsFile, 'utf8')).toContain('DATABASE_URL')
  })

  test('names ports that another program listens on', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(ports.staging, '127.0.0.1', resolve))
    expect((await init()).taken).toEqual([{ port: ports.staging, use: 'staging' }])
    other.close()
  })

  test('a host.json with a mistake is refused by name, and so is an environment there is not', async () => {
    await init()
    expect(() => environmentOf(hostDir, 'qa')).toThrow('There is: staging, production')
    expect(() => environmentOf(hostDir, '__proto__')).toThrow('There is no environment')
    writeFileSync(path.join(hostDir, 'host.json'), '{"format":1,"environments":{"../x":{}}}')
    expect(() => readHost(hostDir)).toThrow('host.json cannot be used')
  })
})

test('units quote what systemd would expand', () => {
  const [ops, keeper] = systemdUnits({
    hostDir: '/srv/dam 100%',
    checkout: '/opt/dam',
    node: '/opt/$node',
    environments: ['production'],
    user: 'dam',
    keeperMain: '/opt/dam/keeper-main.ts',
    commandMain: '/opt/dam/main.ts',
    opsMain: '/opt/dam/main.ts',
  })
  expect(ops?.text).toContain('Environment="DAM_HOST_DIR=/srv/dam 100%%"')
  expect(keeper?.text).toContain(
    'ExecStart="/opt/$$node" "/opt/dam/keeper-main.ts" "/srv/dam 100%%" "production" "--deployer" "/opt/dam/main.ts"',
  )
  expect(keeper?.text).toContain('KillMode=process')
})
