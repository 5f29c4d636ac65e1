import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { environmentFolders } from '@dam/ops/src/environments/environment.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chosenConfig } from './chosen-config.ts'
import { run as initHost } from './commands/host.ts'

let host: string
beforeEach(async () => {
  host = mkdtempSync(path.join(tmpdir(), 'dam-chosen-'))
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  await initHost(['init', '--dir', host])
  for (const name of ['DAM_DATA', 'DATABASE_URL']) vi.stubEnv(name, '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(host, { recursive: true })
})

test('an environment of a host has its own database, whatever the shell says', () => {
  vi.stubEnv('DATABASE_URL', 'postgresql:///of_the_shell')
  const { data, settingsFile } = environmentFolders(host, 'staging')
  const { config } = chosenConfig({ host, environment: 'staging' })
  expect([config.dataDir, config.databaseUrl]).toEqual([data, undefined])
  writeFileSync(settingsFile, 'DATABASE_URL=postgresql:///of_staging\n')
  expect(chosenConfig({ host, environment: 'staging' }).config.databaseUrl?.reveal()).toBe('postgresql:///of_staging')
  expect(() => chosenConfig({ host, environment: 'test' })).toThrow('There is: staging, production')
})

test('where a host is prepared the DAM that is meant has to be named', () => {
  expect(() => chosenConfig({ host })).toThrow(
    '--environment staging, --environment production, or --environment local',
  )
  expect(chosenConfig({ host, environment: 'local' }).environment).toBeNull()
  vi.stubEnv('DATABASE_URL', 'postgresql:///of_the_shell')
  expect(chosenConfig({ host }).config.databaseUrl?.reveal()).toBe('postgresql:///of_the_shell')
  expect(chosenConfig({ host: path.join(host, 'nothing-here'), environment: undefined }).environment).toBeNull()
})
