import { api } from '../lib/api.ts'
import { createStore } from '../lib/store.ts'
import { unfinishedFlag } from '../lib/unfinished-uploads.ts'

/** Uploading is a chunk of its own. This is the door to it: it opens on the first file, or when some were left unfinished. */
export const uploadsWanted = createStore(false)

const load = () => import('../features/uploads/upload-manager.ts')

/** Files dropped or picked on a collection's page go into that collection. */
function collectionOf(path: string): number | null {
  const id = /^\/collections\/(\d+)/.exec(path)?.[1]
  return id ? Number(id) : null
}

export function acceptDrop(transfer: DataTransfer, path: string): void {
  // Entries live only as long as this event: they are taken now, the code that walks them may come later.
  const taken = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => ({
      entry: item.webkitGetAsEntry(),
      file: item.getAsFile(),
      handle:
        'getAsFileSystemHandle' in item
          ? (item as DataTransferItem & { getAsFileSystemHandle: () => Promise<FileSystemHandle | null> })
              .getAsFileSystemHandle()
              .catch(() => null)
          : null,
    }))
  uploadsWanted.set(true)
  void load().then(({ uploadManager }) => uploadManager.addDropped(taken, collectionOf(path)))
}

export function chooseFiles(kind: 'files' | 'folder', path: string): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = true
  input.webkitdirectory = kind === 'folder'
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])]
    if (files.length === 0) return
    uploadsWanted.set(true)
    void load().then(({ uploadManager }) =>
      uploadManager.addFiles(
        files.map((file) => ({ file, relativePath: file.webkitRelativePath || file.name, handle: null })),
        collectionOf(path),
      ),
    )
  })
  input.click()
}

let looked = false

/** After the first screen: looks for uploads that a reload or a crash interrupted, here or in another browser. */
export function lookForUnfinished(): void {
  if (looked) return
  looked = true
  const look = async (): Promise<void> => {
    const isRemembered = localStorage.getItem(unfinishedFlag) !== null
    const onServer = isRemembered
      ? 0
      : await api('listUploads', {}).then(
          ({ data }) => data.count,
          () => 0,
        )
    if (!isRemembered && onServer === 0) return
    const { uploadManager } = await load()
    if (await uploadManager.findUnfinished()) uploadsWanted.set(true)
  }
  setTimeout(() => void look(), 1500)
}
