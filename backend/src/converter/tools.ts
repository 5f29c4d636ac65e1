import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export const toolNames = ['perl', 'vipsthumbnail', 'ffmpeg', 'bwrap', 'unshare', 'prlimit'] as const
export type ToolName = (typeof toolNames)[number]

/** Absolute path of each program that is installed. */
export type Tools = Partial<Record<ToolName, string>>

/** Looks the programs up in `searchPath` (as PATH). */
export function findTools(searchPath: string): Tools {
  const tools: Tools = {}
  for (const name of toolNames) {
    const found = searchPath
      .split(delimiter)
      .filter((folder) => folder.startsWith('/'))
      .map((folder) => join(folder, name))
      .find(isExecutable)
    if (found) tools[name] = found
  }
  return tools
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
