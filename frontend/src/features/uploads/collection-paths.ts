import type { Collection } from '@dam/contract/types'
import { api, isCode } from '../../lib/api.ts'

/** Finds the collection of a folder path below `root`, making what is missing. */
export async function collectionForFolders(folders: readonly string[], root: number | null): Promise<number | null> {
  let parent = root
  for (const name of folders) parent = await childOf(parent, name)
  return parent
}

const known = new Map<string, Promise<number>>()

function childOf(parent: number | null, name: string): Promise<number> {
  const key = `${parent ?? ''}/${name}`
  const found = known.get(key)
  if (found) return found
  const work = findOrCreate(parent, name)
  known.set(key, work)
  work.catch(() => known.delete(key))
  return work
}

async function find(parent: number | null, name: string): Promise<Collection | undefined> {
  const { data } = await api('listCollections', {})
  return data.results.find((collection) => collection.parent === parent && collection.name === name)
}

async function findOrCreate(parent: number | null, name: string): Promise<number> {
  const existing = await find(parent, name)
  if (existing) return existing.id
  try {
    return (await api('createCollection', { body: { name, parent } })).data.id
  } catch (error) {
    // The server made it meanwhile, from an upload of the same folder.
    const made = isCode(error, 'already-exists') ? await find(parent, name) : undefined
    if (!made) throw error
    return made.id
  }
}
