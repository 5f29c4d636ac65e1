import { defineConfig } from '@lingui/conf'
import { formatter } from '@lingui/format-po'

export default defineConfig({
  sourceLocale: 'en',
  locales: ['en', 'ru'],
  format: formatter({ lineNumbers: false }),
  catalogs: [
    { path: 'src/locales/{locale}', include: ['src'], exclude: ['src/console/**'] },
    {
      path: 'src/console/locales/{locale}',
      include: ['src/console', 'src/ui'],
      exclude: ['src/ui/tag-input.tsx', 'src/ui/name-dialog.tsx', 'src/ui/action-menu.tsx'],
    },
  ],
})
