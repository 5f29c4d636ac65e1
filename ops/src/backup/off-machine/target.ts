/** A file of the folder of backups, named by its path in it: the same there and at the target. */
export type Transfer = { key: string; sha256: string; sizeBytes: number }

export type Sent = { files: number; bytes: number; alreadyThere: number }

/** Somewhere else where backups are kept. Everything is checked there after it arrived, and only what is missing travels. */
export type Target = {
  /** Without credentials. */
  name: string
  /** Rejects when something did not arrive whole; what did arrive stays and is not sent again. */
  send(
    root: string,
    transfers: readonly Transfer[],
    options: { signal?: AbortSignal; onBytes?: (key: string, bytes: number) => void },
  ): Promise<Sent>
  /** Writes files below `root`; the caller checks them. */
  fetch(
    root: string,
    keys: readonly string[],
    options: { signal?: AbortSignal; onBytes?: (key: string, bytes: number) => void },
  ): Promise<void>
  /** Ids of the backups that are there whole. */
  list(): Promise<string[]>
}
