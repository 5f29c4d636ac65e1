import type { FileHandle } from 'node:fs/promises'

const windowBytes = 64 * 1024
/** No text or block of an archive is as long; more means that the file is damaged. */
const mostBytes = 1024 ** 3

/** Reads the small parts of an archive one after another. */
export class ByteCursor {
  readonly #file: FileHandle
  #window = Buffer.alloc(0)
  #windowAt = 0
  at: number
  /** As the header of the archive states them. */
  integerBytes = 4
  offsetBytes = 8

  constructor(file: FileHandle, at: number) {
    this.#file = file
    this.at = at
  }

  skip(count: number): void {
    this.at += count
  }

  async bytes(count: number): Promise<Buffer> {
    if (count < 0 || count > mostBytes) throw new Error(`The dump is damaged: a length of ${count} at byte ${this.at}.`)
    const from = this.at - this.#windowAt
    if (from < 0 || from + count > this.#window.length) {
      const buffer = Buffer.alloc(Math.max(windowBytes, count))
      let read = 0
      while (read < count) {
        const { bytesRead } = await this.#file.read(buffer, read, buffer.length - read, this.at + read)
        if (bytesRead === 0)
          throw new Error(`The dump ends at byte ${this.at + read}, in the middle of something: it is cut off.`)
        read += bytesRead
      }
      this.#window = buffer.subarray(0, read)
      this.#windowAt = this.at
    }
    const start = this.at - this.#windowAt
    this.at += count
    return this.#window.subarray(start, start + count)
  }

  async byte(): Promise<number> {
    return (await this.bytes(1))[0] ?? 0
  }

  async integer(): Promise<number> {
    const bytes = await this.bytes(1 + this.integerBytes)
    const amount = bytes.readUIntLE(1, Math.min(this.integerBytes, 6))
    return bytes[0] === 0 ? amount : -amount
  }

  async offset(): Promise<number> {
    const bytes = await this.bytes(this.offsetBytes)
    return bytes.readUIntLE(0, Math.min(this.offsetBytes, 6))
  }

  async text(): Promise<string | null> {
    const length = await this.integer()
    return length < 0 ? null : (await this.bytes(length)).toString()
  }
}
