export type FoundFile = { file: File; relativePath: string; handle: FileSystemFileHandle | null }

/** What the drop event itself could give: taken there, as it is gone when the event is over. */
export type TakenItem = { entry: FileSystemEntry | null; file: File | null; handle: Promise<FileSystemHandle | null> | null }

/** Files that systems leave in folders and nobody means to upload. */
const ignored = /^(\.DS_Store|Thumbs\.db|desktop\.ini|\._.*)$/i

/** All files below what was dropped, with their paths. Handles are kept where the browser has them: they outlive a reload. */
export async function* walkDrop(items: readonly TakenItem[]): AsyncGenerator<FoundFile> {
  for (const item of items) {
    const handle = await item.handle
    if (handle) yield* walkHandle(handle, '')
    else if (item.entry) yield* walkEntry(item.entry, '')
    else if (item.file) yield { file: item.file, relativePath: item.file.name, handle: null }
  }
}

async function* walkHandle(handle: FileSystemHandle, parent: string): AsyncGenerator<FoundFile> {
  const path = parent ? `${parent}/${handle.name}` : handle.name
  if (handle.kind === 'file') {
    if (ignored.test(handle.name)) return
    yield { file: await (handle as FileSystemFileHandle).getFile(), relativePath: path, handle: handle as FileSystemFileHandle }
    return
  }
  for await (const child of (handle as FileSystemDirectoryHandle).values()) yield* walkHandle(child, path)
}

async function* walkEntry(entry: FileSystemEntry, parent: string): AsyncGenerator<FoundFile> {
  const path = parent ? `${parent}/${entry.name}` : entry.name
  if (entry.isFile) {
    if (ignored.test(entry.name)) return
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    yield { file, relativePath: path, handle: null }
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  // One call gives at most a hundred entries; an empty answer is the end.
  for (;;) {
    const children = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (children.length === 0) return
    for (const child of children) yield* walkEntry(child, path)
  }
}
