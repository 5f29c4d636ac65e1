import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCaptureTime } from './captured-at.ts'
import { cleanLine, cleanText } from './clean-text.ts'
import { mapMeasures, mapMetadata } from './map-metadata.ts'

const now = new Date('2026-11-24T12:00:00Z')

describe('time of capture', () => {
  test.each([
    [
      '2022:08:22 20:30:46',
      undefined,
      { wallClock: '2022-08-22T20:30:46', offset: null, iso: '2022-08-22T20:30:46.000Z' },
    ],
    [
      '2022:08:22 20:30:46.023+02:00',
      undefined,
      { wallClock: '2022-08-22T20:30:46.023', offset: '+02:00', iso: '2022-08-22T18:30:46.023Z' },
    ],
    [
      '2022:08:22 20:30:46',
      '-03:30',
      { wallClock: '2022-08-22T20:30:46', offset: '-03:30', iso: '2022-08-23T00:00:46.000Z' },
    ],
    [
      '2022-08-22T20:30:46Z',
      undefined,
      { wallClock: '2022-08-22T20:30:46', offset: '+00:00', iso: '2022-08-22T20:30:46.000Z' },
    ],
    ['2019:06:30', undefined, { wallClock: '2019-06-30T00:00:00', offset: null, iso: '2019-06-30T00:00:00.000Z' }],
  ])('%s is read as written', (text, offset, expected) => expect(parseCaptureTime(text, now, offset)).toEqual(expected))

  test.each([
    '0000:00:00 00:00:00',
    '9999:12:31 23:59:59',
    '2021:02:31 10:00:00',
    '2021:13:01 10:00:00',
    '    :  :     :  :  ',
    '1700:01:01 00:00:00',
    '2027:01:01 00:00:00',
    '',
    'yesterday',
  ])('%j is no time', (text) => expect(parseCaptureTime(text, now)).toBeUndefined())

  test('an impossible original date gives way to the next field that states one', () => {
    const { fields } = mapMetadata(
      { 'ExifIFD:DateTimeOriginal': '0000:00:00 00:00:00', 'XMP-photoshop:DateCreated': '2012:05:08 20:07:15' },
      now,
    )
    expect(fields.captured_at).toBe('2012-05-08T20:07:15')
  })
})

test('what a person wrote stands before what a device wrote', () => {
  const { fields } = mapMetadata(
    {
      'XMP-dc:Title': 'Harbour',
      'IPTC:ObjectName': 'harbor',
      'IFD0:ImageDescription': 'OLYMPUS DIGITAL CAMERA',
      'IPTC:Caption-Abstract': 'At dawn',
      'XMP-dc:Creator': ['A', 'B'],
      'IFD0:Artist': 'C',
    },
    now,
  )
  expect(fields).toMatchObject({ title: 'Harbour', description: 'At dawn', creator: ['A', 'B'] })
})

test('keywords of all sources are one list without repetition', () => {
  const { fields } = mapMetadata(
    { 'XMP-dc:Subject': ['Sea', 'boat'], 'IPTC:Keywords': 'sea', 'IFD0:XPKeywords': 'Boat; Sky ;' },
    now,
  )
  expect(fields.keywords).toEqual(['Sea', 'boat', 'Sky'])
})

describe('position', () => {
  test('south and west are negative, below the sea too', () => {
    const { fields } = mapMetadata(
      {
        'GPS:GPSLatitude': 33.9,
        'GPS:GPSLatitudeRef': 'South',
        'GPS:GPSLongitude': 70.5,
        'GPS:GPSLongitudeRef': 'West',
        'GPS:GPSAltitude': 12,
        'GPS:GPSAltitudeRef': 'Below Sea Level',
      },
      now,
    )
    expect(fields).toMatchObject({ latitude: -33.9, longitude: -70.5, altitude: -12 })
  })
  test.each([
    [213.6, 103.4],
    [10, 190],
    ['', 5],
    [Number.NaN, 5],
  ])('%s, %s is no place on earth', (lat, lon) => {
    const { fields } = mapMetadata({ 'GPS:GPSLatitude': lat, 'GPS:GPSLongitude': lon }, now)
    expect(fields).not.toHaveProperty('latitude')
  })
})

test('a picture on its side has its sides exchanged, and a RAW file is as large as its photo', () => {
  expect(
    mapMeasures({ 'File:ImageWidth': 400, 'File:ImageHeight': 300, 'IFD0:Orientation': 6 }, 'image/jpeg'),
  ).toMatchObject({ width: 300, height: 400 })
  const raw = { 'IFD0:ImageWidth': 256, 'IFD0:ImageHeight': 171, 'SubIFD:ImageWidth': 5472, 'SubIFD:ImageHeight': 3648 }
  expect(mapMeasures(raw, 'image/x-adobe-dng')).toMatchObject({ width: 5472, height: 3648 })
})

test('whatever bytes metadata holds, the text can be stored and turns nobody’s screen around', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      // oxlint-disable-next-line no-control-regex
      const steering = /[\u0000-\u0008\u000e-\u001f\u202a-\u202e\u2066-\u2069]/
      return [cleanText(text, 100), cleanLine(text, 100)].every(
        (cleaned) => cleaned.length <= 100 && cleaned.isWellFormed() && !steering.test(cleaned),
      )
    }),
  )
}, 60_000)

test('any tags give fields, never an exception', () => {
  const value = fc.oneof(
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string(), { maxLength: 4 }),
  )
  const name = fc.constantFrom(
    'XMP-dc:Title',
    'IPTC:Keywords',
    'XMP-dc:Subject',
    'ExifIFD:DateTimeOriginal',
    'GPS:GPSLatitude',
    'GPS:GPSLongitude',
    'ExifIFD:ISO',
    'IFD0:Orientation',
    'ExifIFD:LensModel',
    'Canon:LensType',
  )
  fc.assert(fc.property(fc.dictionary(name, value), (raw) => void mapMetadata(raw, now)))
}, 60_000)
