import type { Plugin } from 'vite'

/** Every style sheet names the cascade layers in order before it fills any: chunks load in whatever order they are needed. */
export function orderLayers(order: string): Plugin {
  return {
    name: 'dam-order-layers',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const output of Object.values(bundle)) {
        if (output.type === 'asset' && output.fileName.endsWith('.css'))
          output.source = `@layer ${order};${String(output.source)}`
      }
    },
  }
}
