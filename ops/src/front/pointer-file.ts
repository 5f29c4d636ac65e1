import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import path from 'node:path'
import type { Pointer } from './front-api.ts'
import { emptyPointer, parsePointer } from './pointer.ts'

export const pointerFileOf = (runDir: string): string => path.join(runDir, 'pointer.json')

/** What the file says. A missing or torn one means that nothing is active; `problem` then says why. */
export function readPointerFile(runDir: string, environment: string): { pointer: Pointer; problem: string | null } {
  const file = pointerFileOf(runDir)
  try {
    return { pointer: parsePointer(JSON.parse(readFileSync(file, 'utf8'))), problem: null }
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const why = isMissing
      ? 'is not there'
      : `cannot be used (${error instanceof Error ? error.message : String(error)})`
    return {
      pointer: emptyPointer(environment),
      problem: `${file} ${why}; nothing is served until a pointer is written, such as by the next deployment or rollback`,
    }
  }
}

/** Once it returns, the pointer is what every later start reads, whatever happens to the machine. */
export async function writePointerFile(runDir: string, pointer: Pointer): Promise<void> {
  const file = pointerFileOf(runDir)
  const draft = `${file}.${process.pid}.tmp`
  await using handle = await open(draft, 'w', 0o600)
  await handle.writeFile(`${JSON.stringify(pointer, null, 2)}\n`)
  await handle.sync()
  await rename(draft, file)
  await using folder = await open(runDir, 'r')
  await folder.sync()
}
