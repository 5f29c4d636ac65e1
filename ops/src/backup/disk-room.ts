import { mkdir, stat, statfs } from 'node:fs/promises'

/** What a backup refuses to take from the disk. */
export type DiskReserve = { percent: number }

/** Throws an Error with the figures when writing `neededBytes` into `folder` would leave less than the reserve. */
export async function assertRoom(folder: string, neededBytes: number, reserve: DiskReserve): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { bavail, blocks, bsize } = await statfs(folder)
  const [freeBytes, reservedBytes] = [bavail * bsize, (blocks * bsize * reserve.percent) / 100]
  if (freeBytes - neededBytes >= reservedBytes) return
  throw new Error(
    `There is no room in ${folder}: about ${gigabytes(neededBytes)} are needed, ${gigabytes(freeBytes)} are free and ${gigabytes(reservedBytes)} (${reserve.percent} %) stay reserved. Free ${gigabytes(reservedBytes + neededBytes - freeBytes)}, delete old backups (./dam backups prune), or put the folder on a larger disk.`,
  )
}

export const gigabytes = (bytes: number): string =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : bytes >= 1e6
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${Math.ceil(bytes / 1e3)} kB`

/** Whether a file of one folder can have a second name in the other. */
export async function isSameFileSystem(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((folder) => stat(folder).catch(() => null)))
  return a !== null && b !== null && a?.dev === b?.dev
}
