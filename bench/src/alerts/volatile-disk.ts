import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export type VolatileDisk = Disposable & {
  folder: string
  /** Brings everything onto the disk that is in memory. */
  settle(): void
  /** Takes what has reached the disk by now, and nothing of what is only in memory. What used it must be frozen. */
  freeze(): void
  /** The computer starts again from what `freeze` took. Whatever had files open must have ended. */
  cut(): void
}

/**
 * An ext4 of its own that can lose its power: its disk is a file, of which a cut keeps what the file system had written and drops what
 * the kernel still held. Needs root, loop devices and mke2fs.
 */
export function openVolatileDisk(place: string, sizeMiB = 96): VolatileDisk {
  const folder = path.join(place, 'disk')
  const images = [path.join(place, 'a.img'), path.join(place, 'b.img')] as const
  unmount(folder)
  rmSync(place, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(images[0], '')
  truncateSync(images[0], sizeMiB * 1024 * 1024)
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-F', images[0]])
  let current: 0 | 1 = 0
  const mount = (): void => {
    execFileSync('mount', ['-o', 'loop', images[current], folder])
  }
  mount()
  return {
    folder,
    settle: () => {
      execFileSync('sync', ['--file-system', folder])
    },
    freeze: () => {
      execFileSync('cp', ['--sparse=always', images[current], images[1 - current] ?? ''])
    },
    cut: () => {
      execFileSync('umount', [folder])
      current = current === 0 ? 1 : 0
      mount()
    },
    [Symbol.dispose]: () => {
      unmount(folder)
      rmSync(place, { recursive: true, force: true })
    },
  }
}

/** Also what a bench that was killed left mounted. */
function unmount(folder: string): void {
  try {
    execFileSync('umount', [folder], { stdio: 'ignore' })
  } catch {
    // It was not mounted.
  }
}
