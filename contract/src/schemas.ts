import { z } from 'zod'

// Vocabulary ------------------------------------------------------------------

export const assetTypes = ['image', 'video', 'audio', 'document', 'model', 'font', 'archive', 'other'] as const
export const roles = ['viewer', 'editor', 'administrator'] as const
export const presets = ['thumbnail', 'preview'] as const
export const orderings = ['date_added', 'date', 'date_modified', 'label', 'filename', 'size'] as const

const id = z.number().int().positive()
const time = z.iso.datetime().describe('UTC, ISO 8601')
const count = z.number().int().nonnegative()
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256, hexadecimal')
/** Half a surrogate pair is no character, and PostgreSQL refuses it in JSON. */
const wholeText = z.string().refine((text) => text.isWellFormed(), 'Send whole Unicode characters.')
const tagName = z.string().trim().min(1).max(100)
const pathId = z.object({ id: z.coerce.number().int().positive() })
const noContent = z.undefined()

export const assetType = z.enum(assetTypes)
export const role = z.enum(roles)

/** Access the caller has to one object. */
export const accessLevel = z.enum(['view', 'edit', 'manage'])

// Envelope --------------------------------------------------------------------

export const page = <T extends z.ZodType>(item: T) =>
  z.object({
    count,
    count_is_estimate: z.boolean().optional().describe('true where `count` is a lower bound or an estimate'),
    next: z.string().nullable(),
    previous: z.string().nullable(),
    results: z.array(item),
  })

// Assets ----------------------------------------------------------------------

export const assetSummary = z.object({
  id,
  url: z.string(),
  label: z.string(),
  description: z.string(),
  filename: z.string(),
  size: count.describe('bytes'),
  mime_type: z.string(),
  type: assetType,
  date_added: time,
  date_modified: time,
  captured_at: time.nullable().describe('camera clock; UTC is assumed where the file states no offset'),
  width: z.number().int().nullable().describe('pixels as displayed, after orientation'),
  height: z.number().int().nullable(),
  duration: z.number().nullable().describe('seconds'),
  page_count: z.number().int().nullable(),
  animated: z.boolean(),
  thumbnail_url: z.string().nullable(),
  preview_url: z.string().nullable(),
  download_url: z.string(),
  placeholder: z.string().nullable().describe('ThumbHash, base64'),
  colour: z.string().nullable().describe('dominant colour, #rrggbb'),
  checksum: sha256,
  tags: z.array(z.string()),
  status: z.enum(['processing', 'ready', 'failed']),
  status_reason: z.string().nullable(),
  preview_state: z.enum(['pending', 'ready', 'unavailable', 'failed', 'refused']),
  preview_reason: z.string().nullable().describe('why there is no preview and what to do about it'),
  versions: count,
  access_level: accessLevel,
  owner: z.object({ id, username: z.string(), display_name: z.string() }).nullable(),
  trashed_at: time.nullable(),
})

export const collectionReference = z.object({ id, name: z.string(), path: z.string() })

/** Our normalised names for what a file says about itself. Every key is optional; raw tags are in `exif`. */
export const embeddedMetadata = z
  .object({
    title: z.string(),
    description: z.string(),
    keywords: z.array(z.string()),
    creator: z.array(z.string()),
    copyright: z.string(),
    credit: z.string(),
    captured_at: z.string().describe('as written in the file'),
    offset: z.string().describe('UTC offset as written, such as +02:00'),
    camera_make: z.string(),
    camera_model: z.string(),
    lens: z.string(),
    iso: z.number(),
    aperture: z.number().describe('f-number'),
    exposure_time: z.number().describe('seconds'),
    focal_length: z.number().describe('millimetres'),
    orientation: z.number().int(),
    rating: z.number(),
    colour_space: z.string(),
    colour_profile: z.string(),
    bit_depth: z.number().int(),
    software: z.string(),
    latitude: z.number(),
    longitude: z.number(),
    altitude: z.number().describe('metres'),
    city: z.string(),
    state: z.string(),
    country: z.string(),
    location: z.string(),
    artist: z.string(),
    album: z.string(),
    genre: z.string(),
    track: z.string(),
    video_codec: z.string(),
    audio_codec: z.string(),
    frame_rate: z.number(),
    sample_rate: z.number(),
    channels: z.number().int(),
    frame_count: z.number().int(),
    page_size: z.string(),
    author: z.string(),
    producer: z.string(),
    detected_extension: z.string().describe('what the bytes are, where the name says otherwise'),
  })
  .partial()

export const asset = assetSummary.extend({
  metadata: embeddedMetadata,
  exif: z.record(z.string(), z.unknown()).describe('every embedded tag as read, keyed Group:Tag'),
  collections: z.array(collectionReference),
  renditions: z.array(
    z.object({
      preset: z.string(),
      url: z.string(),
      mime_type: z.string(),
      width: z.number().int(),
      height: z.number().int(),
      size: count,
    }),
  ),
  duplicates: z
    .array(z.object({ id, label: z.string(), filename: z.string() }))
    .describe('other assets with the same bytes'),
})

/** Filters as JSON; the query string of a list has the same names, comma-separated. */
export const assetFilters = z
  .strictObject({
    type: z.array(assetType),
    mime_type: z.array(z.string().max(200)),
    tags: z.array(tagName).describe('assets that carry all of them'),
    date_range: z
      .strictObject({ from: z.iso.date().optional(), to: z.iso.date().optional() })
      .describe('by capture date, else the date added; both days included'),
    size: z.strictObject({ min: count.optional(), max: count.optional() }).describe('bytes'),
    collection: id.describe('the collection and everything below it'),
    status: z.array(z.enum(['processing', 'ready', 'failed'])),
    preview_state: z.array(z.enum(['pending', 'ready', 'unavailable', 'failed', 'refused'])),
    owner: id,
    checksum: sha256,
    custom_metadata: z
      .record(wholeText.max(64), z.union([wholeText, z.number()]))
      .describe('embedded metadata by normalised name, equal'),
  })
  .partial()

export const listQuery = z.strictObject({
  page: z.coerce.number().int().min(1).optional(),
  page_size: z.coerce.number().int().min(1).max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
  offset: z.coerce.number().int().min(0).optional(),
  cursor: z.string().max(500).optional().describe('from `next` of an earlier answer; empty starts at the top'),
  ordering: z
    .string()
    .max(40)
    .optional()
    .describe(`one of ${orderings.join(', ')}; a leading - reverses`),
  _ordering: z.string().max(40).optional(),
  sort: z.string().max(40).optional(),
  search: z.string().max(500).optional(),
  q: z.string().max(500).optional(),
  type: z.string().max(200).optional(),
  mime_type: z.string().max(500).optional(),
  tags: z.string().max(2000).optional(),
  date: z.string().max(30).optional().describe('2024, 2024-05, 2024-05-17 or 2024-05-01..2024-05-17'),
  size_min: z.coerce.number().int().min(0).optional(),
  size_max: z.coerce.number().int().min(0).optional(),
  collection: z.coerce.number().int().positive().optional(),
  status: z.string().max(100).optional(),
  preview_state: z.string().max(100).optional(),
  owner: z.coerce.number().int().positive().optional(),
  checksum: z.string().max(64).optional(),
  format: z.string().max(10).optional(),
})

export const facetNames = ['type', 'tags', 'year'] as const

export const searchBody = z.strictObject({
  q: z.string().max(500).default(''),
  filters: assetFilters.default({}),
  sort: z.string().max(40).optional().describe('relevance (default with q) or an ordering of the list'),
  limit: z.number().int().min(1).max(100).default(50),
  offset: z.number().int().min(0).max(10_000).default(0),
  facets: z.array(z.enum(facetNames)).default([]),
})

/** `next` and `previous` of an answer carry these; post the same body there. They win over those of the body. */
export const searchPaging = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).optional(),
  offset: z.coerce.number().int().min(0).max(10_000).optional(),
})

export const searchResult = page(assetSummary).extend({
  facets: z.record(z.string(), z.record(z.string(), count)),
})

export const assetPatch = z
  .strictObject({
    label: z.string().trim().min(1).max(500),
    description: z.string().max(20_000),
    tags: z.array(tagName).max(200),
  })
  .partial()

export const assetPut = z.strictObject({
  label: z.string().trim().min(1).max(500),
  description: z.string().max(20_000).default(''),
  tags: z.array(tagName).max(200).default([]),
})

export const bulkBody = z
  .strictObject({
    ids: z.array(id).min(1).max(100_000).optional(),
    filter: z.strictObject({ q: z.string().max(500).optional(), filters: assetFilters.optional() }).optional(),
    action: z.enum(['add_tags', 'remove_tags', 'delete', 'restore', 'add_to_collection', 'remove_from_collection']),
    data: z.strictObject({ tags: z.array(tagName).max(100).optional(), collection: id.optional() }).default({}),
    dry_run: z.boolean().default(false),
  })
  .refine((body) => (body.ids === undefined) !== (body.filter === undefined), 'Give either ids or filter.')

export const bulkResult = z.object({
  success: z.boolean(),
  dry_run: z.boolean(),
  updated: count,
  failed: count,
  errors: z.array(z.object({ id, error: z.string() })),
})

export const timeline = z.object({
  asset: id,
  entries: z.array(
    z.object({
      kind: z.enum(['stage', 'event']),
      name: z.string(),
      started_at: time,
      ended_at: time.nullable(),
      duration_ms: z.number().nullable(),
      outcome: z.string(),
      error: z.string().nullable(),
      attempt: z.number().int().nullable(),
      worker: z.string().nullable(),
      actor: z.string().nullable(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
})

export const stages = ['identify', 'metadata', 'previews', 'index'] as const

// Uploads ---------------------------------------------------------------------

export const upload = z.object({
  id: z.string(),
  url: z.string(),
  filename: z.string(),
  relative_path: z.string(),
  length: count.nullable().describe('bytes; null while deferred'),
  offset: count.describe('bytes stored durably'),
  state: z.enum(['receiving', 'finalising', 'done', 'failed']),
  error: z.string().nullable(),
  asset_id: id.nullable(),
  date_added: time,
  expires_at: time,
})

export const preflightBody = z.strictObject({
  files: z
    .array(z.strictObject({ checksum: sha256, size: count }))
    .min(1)
    .max(1000),
})

export const preflightResult = z.object({
  results: z.array(
    z.object({
      checksum: sha256,
      duplicate: z
        .object({ id, label: z.string(), filename: z.string(), thumbnail_url: z.string().nullable() })
        .nullable(),
    }),
  ),
})

/** JSON form of creating an asset: another asset of bytes that the caller can already see. */
export const assetFromChecksum = z.strictObject({
  checksum: sha256,
  filename: z.string().min(1).max(1000),
  relative_path: z.string().max(4000).optional(),
  collection: id.optional(),
})

// Collections, tags, tasks, events ----------------------------------------------

export const collection = z.object({
  id,
  url: z.string(),
  name: z.string(),
  path: z.string().describe('names from the root, joined by /'),
  parent: id.nullable(),
  asset_count: count.describe('assets directly inside, not in trash'),
  date_added: time,
})

export const collectionBody = z.strictObject({
  name: z.string().trim().min(1).max(255),
  parent: id.nullable().default(null),
})

export const tag = z.object({ id, name: z.string(), asset_count: count })

export const task = z.object({
  id,
  url: z.string(),
  kind: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  done: count,
  total: count.nullable(),
  result: z.unknown(),
  error: z.string().nullable(),
  date_added: time,
  ended_at: time.nullable(),
})

export const accepted = z.object({ job_id: id })

export const eventKinds = [
  'asset.created',
  'asset.previewed',
  'asset.ready',
  'asset.failed',
  'asset.updated',
  'asset.trashed',
  'asset.restored',
  'asset.purged',
  'collection.changed',
  'task.changed',
] as const

export const event = z.object({
  seq: z.number().int(),
  at: time,
  kind: z.enum(eventKinds),
  asset_id: id.nullable(),
  actor_id: id.nullable(),
  data: z.record(z.string(), z.unknown()),
})

export const eventPage = z.object({ results: z.array(event), last: z.number().int() })

// People ----------------------------------------------------------------------

export const user = z.object({
  id,
  url: z.string(),
  username: z.string(),
  display_name: z.string(),
  email: z.string().nullable(),
  role,
  active: z.boolean(),
  date_joined: time,
  last_seen_at: time.nullable(),
  permissions: z.array(z.string()),
})

const username = z
  .string()
  .trim()
  .min(1)
  .max(150)
  .regex(/^[\p{L}\p{N}@.+_-]+$/u, 'Letters, digits and @.+-_ only.')
const newPassword = z.string().min(10, 'At least 10 characters.').max(1000)

export const credentials = z.strictObject({
  username: z.string().min(1).max(150),
  password: z.string().min(1).max(1000),
})
export const setUpBody = z.strictObject({ token: z.string().min(1).max(200), username, password: newPassword })
export const passwordBody = z.strictObject({ current_password: z.string().max(1000), new_password: newPassword })
export const userCreate = z.strictObject({
  username,
  password: newPassword,
  role,
  display_name: z.string().max(200).default(''),
  email: z.email().nullable().default(null),
})
export const userPatch = z
  .strictObject({
    display_name: z.string().max(200),
    email: z.email().nullable(),
    role,
    active: z.boolean(),
    password: newPassword,
  })
  .partial()
export const session = z.object({ user: user.nullable(), setup_required: z.boolean(), version: z.string() })
export const token = z.object({ token: z.string() })
export const tokenInfo = z.object({
  id,
  label: z.string(),
  kind: z.enum(['browser', 'token']),
  current: z.boolean(),
  date_added: time,
  last_used_at: time,
  expires_at: time,
})

// Feedback ----------------------------------------------------------------------

const maintenanceWindow = z.object({
  mode: z.enum(['read-only', 'full']).describe('read-only: browsing, search and download work; full: nothing does'),
  reason: z.string(),
  starts_at: time,
  ends_at: time.describe('expected'),
})
export const maintenance = z.object({
  current: maintenanceWindow.nullable(),
  upcoming: maintenanceWindow.nullable().describe('the next one, once users have been told of it'),
})

export const feedback = z.strictObject({
  rating: z.number().int().min(1).max(5).describe('1 = badly, 5 = very well'),
  comment: wholeText.max(2000).optional(),
})

// Operations --------------------------------------------------------------------

export const capability = z.object({
  name: z.string(),
  available: z.boolean(),
  version: z.string().nullable(),
  enables: z.string(),
  install: z.string().nullable().describe('the command that installs it'),
})

export const systemHealth = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  version: z.string(),
  database: z.object({
    status: z.enum(['connected', 'disconnected']),
    version: z.string().nullable(),
    pool: z.record(z.string(), z.number()),
  }),
  cache: z.object({ status: z.enum(['connected', 'disconnected']), kind: z.enum(['memory', 'redis']) }),
  storage: z.object({
    path: z.string(),
    free_bytes: count,
    total_bytes: count,
    assets: count,
    asset_bytes: count,
    trash: count,
  }),
  queue: z.object({ waiting: count, running: count, failed: count, oldest_seconds: z.number() }),
  workers: z.array(z.object({ id: z.string(), started_at: time, renewed_at: time })),
  capabilities: z.array(capability),
})

export const health = z.object({ status: z.string(), version: z.string(), timestamp: time })

export { pathId, noContent, sha256, id, time }
