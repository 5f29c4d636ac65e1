import { lingui } from '@lingui/vite-plugin'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { precompress } from './build/precompress.ts'
import { preloadApplication } from './build/preload-application.ts'

const backend = process.env['DAM_BACKEND'] ?? 'http://localhost:8080'

export default defineConfig({
  plugins: [react(), lingui({ macroTransform: true, failOnMissing: true }), preloadApplication('start'), precompress()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What the first grid needs, in two files: that which starts the first requests, and the rest.
            {
              name: 'early',
              test: /contract\/src\/(routes|client)|src\/lib\/(early-requests|gallery-query|i18n|preferences|store)\.ts|@lingui\/core/,
              priority: 3,
            },
            {
              name: 'core',
              test: /node_modules\/(react|react-dom|scheduler|thumbhash)\/|node_modules\/@tanstack\/|src\/lib\/|src\/ui\/(icon|button|notice|loading)\.|src\/features\/(gallery\/(?!filter-popover)|actions\/(?!edit-tags)|collections\/(?!choose-collection))|src\/app\/(routes\/gallery-route|current-actions|upload-gate)|rolldown-runtime|rolldown\/runtime/,
              priority: 2,
            },
          ],
        },
      },
    },
  },
  worker: { format: 'es' },
  server: {
    port: 5173,
    proxy: Object.fromEntries(
      ['/api', '/health', '/metrics'].map((path) => [path, { target: backend, changeOrigin: true }]),
    ),
  },
})
