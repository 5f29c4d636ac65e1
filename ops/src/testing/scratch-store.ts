import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openStore, type Store } from '../store.ts'

/** A store in a folder of its own, both gone when disposed. */
export function scratchStore(): Store & { folder: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-ops-'))
  const store = openStore(folder, { durability: 'none' })
  return {
    ...store,
    folder,
    [Symbol.dispose]: () => {
      store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
