export type FoundFile = { file: File; relativePath: string; handle: FileSystemFileHandle | null }

/** What the drop event itself could give: taken there, as it is gone when the event is over. */
export type TakenItem = {
  entry: FileSystemEntry | null
  file: File | null
  handle: Promise<FileSystemHandle | null> | null
}

/** Files that systems leave in folders and nobody means to upload. */
const ignored = /^(\.DS_Store|Thumbs\.db|desktop\.ini|\._.*)$/i

/**
 * All files below what was dropped, with their paths. Entries say what there is: handles, which outlive a reload, leave out names
 * the browser finds unsafe (`CON.jpg`, `a:b`, a trailing space), so they are only looked up beside them. What cannot be read is told.
 */
export async function* walkDrop(
  items: readonly TakenItem[],
  onUnreadable: (relativePath: string, error: unknown) => void,
): AsyncGenerator<FoundFile> {
  for (const item of items) {
    const handle = await item.handle
    if (item.entry) yield* walkEntry(item.entry, handle, '', onUnreadable)
    else if (item.file)
      yield {
        file: item.file,
        relativePath: item.file.name,
        handle: handle?.kind === 'file' ? (handle as FileSystemFileHandle) : null,
      }
  }
}

async function* walkEntry(
  entry: FileSystemEntry,
  handle: FileSystemHandle | null,
  parent: string,
  onUnreadable: (relativePath: string, error: unknown) => void,
): AsyncGenerator<FoundFile> {
  const path = parent ? `${parent}/${entry.name}` : entry.name
  try {
    if (entry.isFile) {
      if (ignored.test(entry.name)) return
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
      yield { file, relativePath: path, handle: handle?.kind === 'file' ? (handle as FileSystemFileHandle) : null }
      return
    }
    const folder = handle?.kind === 'directory' ? (handle as FileSystemDirectoryHandle) : null
    const reader = (entry as FileSystemDirectoryEntry).createReader()
    // One call gives at most a hundred entries; an empty answer is the end.
    for (;;) {
      const children = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
      if (children.length === 0) return
      const handles = await Promise.all(children.map((child) => handleOf(folder, child)))
      for (const [index, child] of children.entries())
        yield* walkEntry(child, handles[index] ?? null, path, onUnreadable)
    }
  } catch (error) {
    onUnreadable(path, error)
  }
}

async function handleOf(
  folder: FileSystemDirectoryHandle | null,
  child: FileSystemEntry,
): Promise<FileSystemHandle | null> {
  try {
    return folder && (await (child.isFile ? folder.getFileHandle(child.name) : folder.getDirectoryHandle(child.name)))
  } catch {
    // A name the browser gives no handle for: it is uploaded all the same, only a reload has to ask for it again.
    return null
  }
}
