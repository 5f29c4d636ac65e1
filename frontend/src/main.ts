import { pathOf } from '@dam/contract/client'
import { requestEarly, wasSignedIn } from './lib/early-requests.ts'
import { firstPageUrl, parseGalleryQuery } from './lib/gallery-query.ts'
import { activateLocale } from './lib/i18n.ts'
import { applyTheme } from './lib/preferences.ts'

applyTheme()
requestEarly(pathOf('getSession'))
requestEarly(pathOf('getMaintenance'))
const collection = /^\/collections\/(\d+)\/?$/.exec(window.location.pathname)?.[1]
if (wasSignedIn() && (collection || /^\/(dam\/gallery\/?)?$/.test(window.location.pathname))) {
  const url = firstPageUrl(
    parseGalleryQuery(window.location.search, collection ? { collection: Number(collection) } : {}),
  )
  if (url) requestEarly(url)
}

const locale = activateLocale()
const { start } = await import('./app/start.tsx')
await locale
start(document.getElementById('root')!)
