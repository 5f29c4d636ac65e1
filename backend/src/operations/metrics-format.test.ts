import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { testApp } from '../testing/test-app.ts'

const has = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    console.warn(`not tested: ${program} is missing; apt-get install prometheus`)
    return false
  }
}

test('what the alerts of operations watch is exported', async () => {
  await using app = await testApp()
  const metrics = await (await fetch(`${app.url}/metrics`)).text()
  for (const line of [
    /^dam_host_memory_bytes\{state="available"\} [1-9]/m,
    /^dam_host_memory_bytes\{state="total"\} [1-9]/m,
    /^dam_host_network_bytes_total\{direction="receive"\} \d/m,
    /^dam_dependency_up\{dependency="storage"\} 1$/m,
    /^dam_dependency_up\{dependency="database"\} 1$/m,
    /^dam_disk_bytes\{state="used"\} [1-9]/m,
    /^dam_database_pool_connections\{state="waiting"\} \d/m,
    /^dam_satisfaction_people \d/m,
  ])
    expect(metrics).toMatch(line)
})

test.skipIf(!has('promtool'))('promtool has nothing to say about /metrics', async () => {
  await using app = await testApp()
  const metrics = await (await fetch(`${app.url}/metrics`)).text()
  expect(execFileSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' })).toBe('')
})
