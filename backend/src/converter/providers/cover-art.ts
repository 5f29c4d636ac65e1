import { limits } from '../limits.ts'
import { unavailable } from '../refusal.ts'
import type { Decode } from '../provider.ts'
import { decodeWithSharp } from './sharp-image.ts'

/** The cover picture stored in a sound file. */
export const coverArt: Decode = async ({ path }) => {
  const { parseFile, selectCover } = await import('music-metadata')
  const parsed = await parseFile(path, { duration: false, skipPostHeaders: true }).catch(() => undefined)
  const cover = selectCover(parsed?.common.picture)
  if (!cover) throw unavailable('no-cover', 'The sound file has no cover picture.')
  if (cover.data.length > limits.embeddedPictureBytes) throw new Error('the cover picture is too large')
  const decoded = await decodeWithSharp(Buffer.from(cover.data))
  // The size of a cover is not a size of the sound.
  return { ...decoded, measures: {} }
}
