/** Method and path of every endpoint under `/api/v4`. Free of schemas, so that the browser can import it for nothing. */
export const routes = {
  getSession: { method: 'GET', path: '/auth/session/' },
  setUp: { method: 'POST', path: '/auth/setup/' },
  signIn: { method: 'POST', path: '/auth/login/' },
  signOut: { method: 'POST', path: '/auth/logout/' },
  obtainToken: { method: 'POST', path: '/auth/token/obtain/' },
  listTokens: { method: 'GET', path: '/auth/tokens/' },
  revokeToken: { method: 'DELETE', path: '/auth/tokens/{id}/' },

  getCurrentUser: { method: 'GET', path: '/users/current/' },
  changePassword: { method: 'POST', path: '/users/current/password/' },
  listUsers: { method: 'GET', path: '/users/' },
  createUser: { method: 'POST', path: '/users/' },
  getUser: { method: 'GET', path: '/users/{id}/' },
  updateUser: { method: 'PATCH', path: '/users/{id}/' },

  listAssets: { method: 'GET', path: '/dam/assets/' },
  createAsset: { method: 'POST', path: '/dam/assets/' },
  uploadAsset: { method: 'POST', path: '/dam/assets/upload/' },
  searchAssets: { method: 'POST', path: '/dam/assets/search/' },
  bulkAssets: { method: 'POST', path: '/dam/assets/bulk/' },
  getAsset: { method: 'GET', path: '/dam/assets/{id}/' },
  replaceAsset: { method: 'PUT', path: '/dam/assets/{id}/' },
  updateAsset: { method: 'PATCH', path: '/dam/assets/{id}/' },
  deleteAsset: { method: 'DELETE', path: '/dam/assets/{id}/' },
  downloadAsset: { method: 'GET', path: '/dam/assets/{id}/download/' },
  getRendition: { method: 'GET', path: '/dam/assets/{id}/renditions/{preset}/' },
  getAssetTimeline: { method: 'GET', path: '/dam/assets/{id}/timeline/' },
  replayIngest: { method: 'POST', path: '/dam/assets/{id}/replay/' },
  listDates: { method: 'GET', path: '/dam/assets/dates/' },

  listUploads: { method: 'GET', path: '/uploads/' },
  uploadOptions: { method: 'OPTIONS', path: '/uploads/' },
  createUpload: { method: 'POST', path: '/uploads/' },
  checkUploads: { method: 'POST', path: '/uploads/preflight/' },
  getUploadOffset: { method: 'HEAD', path: '/uploads/{id}/' },
  appendUpload: { method: 'PATCH', path: '/uploads/{id}/' },
  cancelUpload: { method: 'DELETE', path: '/uploads/{id}/' },

  listCollections: { method: 'GET', path: '/collections/' },
  createCollection: { method: 'POST', path: '/collections/' },
  getCollection: { method: 'GET', path: '/collections/{id}/' },
  updateCollection: { method: 'PATCH', path: '/collections/{id}/' },
  deleteCollection: { method: 'DELETE', path: '/collections/{id}/' },
  listCollectionAssets: { method: 'GET', path: '/collections/{id}/assets/' },

  listTags: { method: 'GET', path: '/tags/' },

  listTrash: { method: 'GET', path: '/trash/' },
  restoreTrash: { method: 'POST', path: '/trash/restore/' },
  emptyTrash: { method: 'DELETE', path: '/trash/' },
  purgeAsset: { method: 'DELETE', path: '/trash/{id}/' },

  getTask: { method: 'GET', path: '/tasks/{id}/' },
  cancelTask: { method: 'DELETE', path: '/tasks/{id}/' },

  listEvents: { method: 'GET', path: '/events/' },
  streamEvents: { method: 'GET', path: '/events/stream/' },

  giveFeedback: { method: 'POST', path: '/feedback/' },
  getMaintenance: { method: 'GET', path: '/maintenance/' },

  getSystemHealth: { method: 'GET', path: '/admin/health/' },
  getSchema: { method: 'GET', path: '/schema/' },
} as const satisfies Record<string, { method: Method; path: string }>

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type RouteName = keyof typeof routes

export const apiBase = '/api/v4'
