import { lingui } from '@lingui/vite-plugin'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { orderLayers } from './build/order-layers.ts'
import { precompress } from './build/precompress.ts'

const operations = process.env['DAM_OPS'] ?? 'http://localhost:8081'

/** The operations console: an application of its own that the ops process serves. */
export default defineConfig({
  root: 'console',
  publicDir: '../public',
  plugins: [react(), lingui({ macroTransform: true, failOnMissing: true }), orderLayers('base, ui'), precompress()],
  build: {
    target: 'es2023',
    outDir: '../dist-console',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5174,
    fs: { allow: ['..', '../..'] },
    proxy: { '/api': { target: operations, changeOrigin: true } },
  },
})
