import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { lookAt } from '../probes/processes.ts'
import { continueProcesses } from './continue-processes.ts'

test('a process that ended in between keeps none of the others stopped', async () => {
  const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(gone, 'exit')
  const stopped = spawn('sleep', ['60'], { stdio: 'ignore' })
  try {
    const pid = stopped.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    await expect.poll(() => lookAt(pid)?.state).toBe('T')
    continueProcesses([gone.pid ?? 0, pid])
    await expect.poll(() => lookAt(pid)?.state).toBe('S')
  } finally {
    stopped.kill('SIGKILL')
  }
})
