import { defineConfig } from '@lingui/conf'
import { formatter } from '@lingui/format-po'

export default defineConfig({
  sourceLocale: 'en',
  locales: ['en', 'ru'],
  format: formatter({ lineNumbers: false }),
  catalogs: [{ path: 'src/locales/{locale}', include: ['src'] }],
})
