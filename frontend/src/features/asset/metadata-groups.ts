import type { Asset, EmbeddedMetadata } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { formatCameraTime, formatClock, formatNumber } from '../../lib/format.ts'

export type MetadataLine = { label: string; value: string | string[] }
export type MetadataGroup = { title: string; lines: MetadataLine[] }

function exposure(seconds: number): string {
  return seconds > 0 && seconds < 0.4 ? t`1/${formatNumber(1 / seconds, 0)} s` : t`${formatNumber(seconds)} s`
}

export function coordinates(latitude: number, longitude: number): string {
  const part = (value: number, positive: string, negative: string): string =>
    `${formatNumber(Math.abs(value), 5)}° ${value >= 0 ? positive : negative}`
  return `${part(latitude, t`N`, t`S`)}, ${part(longitude, t`E`, t`W`)}`
}

/** What the file says about itself, in groups; groups and lines without content are left out. */
export function metadataGroups(asset: Asset): MetadataGroup[] {
  const m: EmbeddedMetadata = asset.metadata
  const line = (label: string, value: string | string[] | number | undefined | null): MetadataLine[] => {
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) return []
    return [{ label, value: typeof value === 'number' ? formatNumber(value) : value }]
  }
  const with_ = <T>(value: T | undefined, format: (value: T) => string): string | undefined =>
    value === undefined ? undefined : format(value)
  // Most makers repeat their name in the model's.
  const make =
    m.camera_make && m.camera_model?.toLowerCase().startsWith(m.camera_make.toLowerCase().split(' ')[0]!)
      ? undefined
      : m.camera_make
  const camera = [make, m.camera_model].filter(Boolean).join(' ')
  const settings = [
    with_(m.exposure_time, exposure),
    with_(m.aperture, (value) => `ƒ/${formatNumber(value, 1)}`),
    with_(m.focal_length, (value) => t`${formatNumber(value, 1)} mm`),
    with_(m.iso, (value) => `ISO ${formatNumber(value, 0)}`),
  ]
    .filter(Boolean)
    .join('  ·  ')
  const groups: MetadataGroup[] = [
    {
      title: t`Description in the file`,
      lines: [
        ...line(t`Title`, m.title === asset.label ? undefined : m.title),
        ...line(t`Description`, m.description === asset.description ? undefined : m.description),
        ...line(t`Keywords`, m.keywords),
        ...line(t`Creator`, m.creator),
        ...line(t`Author`, m.author),
        ...line(t`Copyright`, m.copyright),
        ...line(t`Credit`, m.credit),
        ...line(
          t`Rating`,
          m.rating === undefined
            ? undefined
            : '★'.repeat(Math.max(0, Math.min(5, Math.round(m.rating)))) || formatNumber(m.rating),
        ),
      ],
    },
    {
      title: t`Taken`,
      lines: [
        ...line(t`Date`, asset.captured_at ? formatCameraTime(asset.captured_at) : m.captured_at),
        ...line(t`Offset from UTC`, m.offset),
        ...line(t`Camera`, camera),
        ...line(t`Lens`, m.lens),
        ...line(t`Settings`, settings),
        ...line(t`Software`, m.software),
      ],
    },
    {
      title: t`Place`,
      lines: [
        ...line(
          t`Position`,
          m.latitude !== undefined && m.longitude !== undefined ? coordinates(m.latitude, m.longitude) : undefined,
        ),
        ...line(
          t`Altitude`,
          with_(m.altitude, (value) => t`${formatNumber(value, 0)} m`),
        ),
        ...line(t`Location`, m.location),
        ...line(t`City`, m.city),
        ...line(t`State`, m.state),
        ...line(t`Country`, m.country),
      ],
    },
    {
      title: t`Sound and film`,
      lines: [
        ...line(t`Duration`, asset.duration === null ? undefined : formatClock(asset.duration)),
        ...line(t`Video codec`, m.video_codec),
        ...line(t`Audio codec`, m.audio_codec),
        ...line(t`Frames per second`, m.frame_rate),
        ...line(t`Frames`, m.frame_count),
        ...line(
          t`Sample rate`,
          with_(m.sample_rate, (value) => t`${formatNumber(value / 1000, 1)} kHz`),
        ),
        ...line(t`Channels`, m.channels),
        ...line(t`Artist`, m.artist),
        ...line(t`Album`, m.album),
        ...line(t`Track`, m.track),
        ...line(t`Genre`, m.genre),
      ],
    },
    {
      title: t`Pages`,
      lines: [
        ...line(t`Pages`, asset.page_count),
        ...line(t`Page size`, m.page_size),
        ...line(t`Made with`, m.producer),
      ],
    },
    {
      title: t`Colour`,
      lines: [
        ...line(t`Colour space`, m.colour_space),
        ...line(t`Profile`, m.colour_profile),
        ...line(t`Bits per channel`, m.bit_depth),
      ],
    },
  ]
  return groups.filter((group) => group.lines.length > 0)
}
