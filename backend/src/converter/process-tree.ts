import { readFileSync } from 'node:fs'

const pageBytes = 4096

/** Resident bytes of a process and all its descendants; 0 for those that are gone or where /proc does not tell. */
export function residentBytes(pid: number): number {
  let total = 0
  const waiting = [pid]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      total += Number(readFileSync(`/proc/${next}/statm`, 'latin1').split(' ')[1]) * pageBytes
      // Children belong to the thread that started them; here that is always the first.
      const children = readFileSync(`/proc/${next}/task/${next}/children`, 'latin1').trim()
      if (children) waiting.push(...children.split(' ').map(Number))
    } catch {
      // It ended between two reads.
    }
  }
  return total
}
