import { allPids, lookAt } from '../probes/processes.ts'

/** A server that is stopped has stopped children, too. */
export const continueWithChildren = (root: number): void =>
  continueProcesses([root, ...allPids().filter((pid) => lookAt(pid)?.parent === root)])

/** Lets stopped processes go on. One that has ended meanwhile, as servers of single connections do, is passed over. */
export function continueProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGCONT')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
