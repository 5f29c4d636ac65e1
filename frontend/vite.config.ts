import { lingui } from '@lingui/vite-plugin'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { precompress } from './build/precompress.ts'
import { preloadApplication } from './build/preload-application.ts'

const backend = process.env['DAM_BACKEND'] ?? 'http://localhost:8080'

export default defineConfig({
  plugins: [react(), lingui({ macroTransform: true, failOnMissing: false }), preloadApplication('start'), precompress()],
  build: {
    target: 'es2023',
    cssMinify: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  server: {
    port: 5173,
    proxy: Object.fromEntries(['/api', '/health', '/metrics'].map((path) => [path, { target: backend, changeOrigin: true }])),
  },
})
