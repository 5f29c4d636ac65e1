import { z } from 'zod'
import { routes, type RouteName } from './routes.ts'
import * as s from './schemas.ts'

/**
 * The contract: what each endpoint takes and gives. Server handlers, the typed client and openapi.json are readings of this table.
 * `access` is the least a caller must be; finer rules (own uploads, trash) live where the rows are read.
 */
export type Endpoint = {
  summary: string
  group: string
  access: 'public' | 'viewer' | 'editor' | 'administrator'
  params?: z.ZodType
  query?: z.ZodType
  body?: z.ZodType
  /** Media type of a body that is not JSON; such handlers read the stream themselves. */
  bodyType?: 'application/offset+octet-stream' | 'multipart/form-data'
  /** A POST that only reads; an `Idempotency-Key` means nothing to it. */
  readsOnly?: true
  status: number
  /** undefined: no body, or not JSON (`produces` says what). */
  response?: z.ZodType
  produces?: string
}

const uuidParams = z.object({ id: z.uuid() })

export const endpoints = {
  getSession: {
    summary: 'Who is signed in, and whether DAM still has to be set up',
    group: 'Sign-in',
    access: 'public',
    status: 200,
    response: s.session,
  },
  setUp: {
    summary: 'Create the first administrator with the one-time link',
    group: 'Sign-in',
    access: 'public',
    body: s.setUpBody,
    status: 201,
    response: s.user,
  },
  signIn: {
    summary: 'Sign in a browser; sets the session cookie',
    group: 'Sign-in',
    access: 'public',
    body: s.credentials,
    status: 200,
    response: s.user,
  },
  signOut: { summary: 'End this session', group: 'Sign-in', access: 'viewer', status: 204 },
  obtainToken: {
    summary: 'Obtain an API token; send it as `Authorization: Token …`',
    group: 'Sign-in',
    access: 'public',
    body: s.credentials,
    status: 200,
    response: s.token,
  },
  listTokens: {
    summary: 'My sessions and API tokens',
    group: 'Sign-in',
    access: 'viewer',
    status: 200,
    response: s.page(s.tokenInfo),
  },
  revokeToken: {
    summary: 'Revoke one of my sessions or tokens',
    group: 'Sign-in',
    access: 'viewer',
    params: s.pathId,
    status: 204,
  },

  getCurrentUser: { summary: 'The signed-in user', group: 'Users', access: 'viewer', status: 200, response: s.user },
  changePassword: {
    summary: 'Change my password; ends all my other sessions',
    group: 'Users',
    access: 'viewer',
    body: s.passwordBody,
    status: 204,
  },
  listUsers: {
    summary: 'All users',
    group: 'Users',
    access: 'administrator',
    query: z.strictObject({
      page: z.coerce.number().int().min(1).optional(),
      page_size: z.coerce.number().int().min(1).max(100).optional(),
    }),
    status: 200,
    response: s.page(s.user),
  },
  createUser: {
    summary: 'Add a user',
    group: 'Users',
    access: 'administrator',
    body: s.userCreate,
    status: 201,
    response: s.user,
  },
  getUser: {
    summary: 'One user',
    group: 'Users',
    access: 'administrator',
    params: s.pathId,
    status: 200,
    response: s.user,
  },
  updateUser: {
    summary: 'Change role, name, e-mail, password or active state',
    group: 'Users',
    access: 'administrator',
    params: s.pathId,
    body: s.userPatch,
    status: 200,
    response: s.user,
  },

  listAssets: {
    summary: 'Assets, filtered, ordered, by page, offset or cursor',
    group: 'Assets',
    access: 'viewer',
    query: s.listQuery,
    status: 200,
    response: s.page(s.assetSummary),
  },
  createAsset: {
    summary: 'Upload one file (`file`, optional `metadata` JSON), or JSON naming the checksum of bytes already stored',
    group: 'Assets',
    access: 'editor',
    bodyType: 'multipart/form-data',
    status: 201,
    response: s.asset,
  },
  uploadAsset: {
    summary: 'Same as creating an asset',
    group: 'Assets',
    access: 'editor',
    bodyType: 'multipart/form-data',
    status: 201,
    response: s.asset,
  },
  searchAssets: {
    summary: 'Search with filters and facets',
    group: 'Assets',
    access: 'viewer',
    readsOnly: true,
    query: s.searchPaging,
    body: s.searchBody,
    status: 200,
    response: s.searchResult,
  },
  bulkAssets: {
    summary: 'Change many assets at once; more than 1 000 run as a task',
    group: 'Assets',
    access: 'editor',
    body: s.bulkBody,
    status: 200,
    response: z.union([s.bulkResult, s.accepted]),
  },
  getAsset: {
    summary: 'One asset with everything known about it',
    group: 'Assets',
    access: 'viewer',
    params: s.pathId,
    status: 200,
    response: s.asset,
  },
  replaceAsset: {
    summary: 'Set label, description and tags',
    group: 'Assets',
    access: 'editor',
    params: s.pathId,
    body: s.assetPut,
    status: 200,
    response: s.asset,
  },
  updateAsset: {
    summary: 'Change label, description or tags; `If-Match` detects conflicts',
    group: 'Assets',
    access: 'editor',
    params: s.pathId,
    body: s.assetPatch,
    status: 200,
    response: s.asset,
  },
  deleteAsset: { summary: 'Move to the trash', group: 'Assets', access: 'editor', params: s.pathId, status: 204 },
  downloadAsset: {
    summary: 'The original, or `?preset=` a rendition; single ranges',
    group: 'Assets',
    access: 'viewer',
    params: s.pathId,
    query: z.strictObject({
      preset: z.string().max(40).optional(),
      inline: z.enum(['0', '1', 'true', 'false']).optional(),
    }),
    status: 200,
    produces: 'application/octet-stream',
  },
  getRendition: {
    summary: 'A rendition, cacheable',
    group: 'Assets',
    access: 'viewer',
    params: s.pathId.extend({ preset: z.string().max(40) }),
    query: z.strictObject({ v: z.string().max(20).optional() }),
    status: 200,
    produces: 'image/*',
  },
  getAssetTimeline: {
    summary: 'Everything that happened to it, with durations and errors',
    group: 'Assets',
    access: 'viewer',
    params: s.pathId,
    status: 200,
    response: s.timeline,
  },
  replayIngest: {
    summary: 'Run ingest again, from a stage on',
    group: 'Assets',
    access: 'editor',
    params: s.pathId,
    body: z.strictObject({ from: z.enum(s.stages).default('identify') }),
    status: 202,
    response: s.accepted,
  },
  listDates: {
    summary: 'How many assets each month has, newest first',
    group: 'Assets',
    access: 'viewer',
    status: 200,
    response: z.object({ results: z.array(z.object({ month: z.string(), asset_count: z.number().int() })) }),
  },

  listUploads: {
    summary: 'My unfinished uploads',
    group: 'Uploads',
    access: 'editor',
    status: 200,
    response: s.page(s.upload),
  },
  uploadOptions: { summary: 'tus: what the server can do', group: 'Uploads', access: 'public', status: 204 },
  createUpload: {
    summary: 'tus: begin an upload',
    group: 'Uploads',
    access: 'editor',
    bodyType: 'application/offset+octet-stream',
    status: 201,
  },
  checkUploads: {
    summary: 'Which of these files are here already, before any byte travels',
    group: 'Uploads',
    access: 'editor',
    body: s.preflightBody,
    status: 200,
    response: s.preflightResult,
  },
  getUploadOffset: {
    summary: 'tus: how much is stored',
    group: 'Uploads',
    access: 'editor',
    params: uuidParams,
    status: 200,
  },
  appendUpload: {
    summary: 'tus: more bytes',
    group: 'Uploads',
    access: 'editor',
    params: uuidParams,
    bodyType: 'application/offset+octet-stream',
    status: 204,
  },
  cancelUpload: {
    summary: 'tus: end the upload and delete its bytes',
    group: 'Uploads',
    access: 'editor',
    params: uuidParams,
    status: 204,
  },

  listCollections: {
    summary: 'All collections, in tree order',
    group: 'Collections',
    access: 'viewer',
    status: 200,
    response: s.page(s.collection),
  },
  createCollection: {
    summary: 'Add a collection',
    group: 'Collections',
    access: 'editor',
    body: s.collectionBody,
    status: 201,
    response: s.collection,
  },
  getCollection: {
    summary: 'One collection',
    group: 'Collections',
    access: 'viewer',
    params: s.pathId,
    status: 200,
    response: s.collection,
  },
  updateCollection: {
    summary: 'Rename or move a collection',
    group: 'Collections',
    access: 'editor',
    params: s.pathId,
    body: s.collectionBody.partial(),
    status: 200,
    response: s.collection,
  },
  deleteCollection: {
    summary: 'Delete a collection and those below it; their assets stay',
    group: 'Collections',
    access: 'editor',
    params: s.pathId,
    status: 204,
  },
  listCollectionAssets: {
    summary: 'Assets of a collection and those below it',
    group: 'Collections',
    access: 'viewer',
    params: s.pathId,
    query: s.listQuery,
    status: 200,
    response: s.page(s.assetSummary),
  },

  listTags: {
    summary: 'Tags with their number of assets',
    group: 'Tags',
    access: 'viewer',
    query: z.strictObject({
      q: z.string().max(100).optional(),
      page: z.coerce.number().int().min(1).optional(),
      page_size: z.coerce.number().int().min(1).max(100).optional(),
    }),
    status: 200,
    response: s.page(s.tag),
  },

  listTrash: {
    summary: 'Assets in the trash, last trashed first',
    group: 'Trash',
    access: 'editor',
    query: s.listQuery,
    status: 200,
    response: s.page(s.assetSummary),
  },
  restoreTrash: {
    summary: 'Restore everything in the trash',
    group: 'Trash',
    access: 'editor',
    status: 202,
    response: s.accepted,
  },
  emptyTrash: {
    summary: 'Delete everything in the trash for good',
    group: 'Trash',
    access: 'administrator',
    status: 202,
    response: s.accepted,
  },
  purgeAsset: {
    summary: 'Delete one asset in the trash for good',
    group: 'Trash',
    access: 'administrator',
    params: s.pathId,
    status: 204,
  },

  getTask: {
    summary: 'Progress of long work',
    group: 'Tasks',
    access: 'viewer',
    params: s.pathId,
    status: 200,
    response: s.task,
  },
  cancelTask: { summary: 'Cancel long work', group: 'Tasks', access: 'viewer', params: s.pathId, status: 204 },

  listEvents: {
    summary: 'The numbered event log after a position',
    group: 'Events',
    access: 'viewer',
    query: z.strictObject({
      after: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(1000).optional(),
    }),
    status: 200,
    response: s.eventPage,
  },
  streamEvents: {
    summary: 'The same events as they happen (server-sent events; `Last-Event-ID` resumes)',
    group: 'Events',
    access: 'viewer',
    query: z.strictObject({ after: z.coerce.number().int().min(0).optional() }),
    status: 200,
    produces: 'text/event-stream',
  },

  giveFeedback: {
    summary: 'Say how well DAM works for you',
    group: 'Users',
    access: 'viewer',
    body: s.feedback,
    status: 204,
  },
  getMaintenance: {
    summary: 'Maintenance that is under way, and the next that users should know of',
    group: 'Operations',
    access: 'public',
    status: 200,
    response: s.maintenance,
  },

  getSystemHealth: {
    summary: 'Database, storage, queue, workers and tools',
    group: 'Operations',
    access: 'administrator',
    status: 200,
    response: s.systemHealth,
  },
  getSchema: {
    summary: 'This contract as OpenAPI 3.1',
    group: 'Operations',
    access: 'public',
    status: 200,
    produces: 'application/json',
  },
} as const satisfies Record<RouteName, Endpoint>

export type Endpoints = typeof endpoints
export { routes, type RouteName }
