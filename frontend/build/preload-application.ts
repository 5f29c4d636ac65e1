import type { HtmlTagDescriptor, Plugin } from 'vite'

/**
 * `main.ts` starts the first requests and then imports the application. The browser would learn of the application's
 * chunk only then; this names the chunk, what it imports and its styles in the page, so that all of it loads at once.
 */
export function preloadApplication(chunkName: string): Plugin {
  return {
    name: 'dam-preload-application',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const chunks = Object.values(bundle ?? {}).filter((output) => output.type === 'chunk')
        const start = chunks.find((chunk) => chunk.name === chunkName)
        if (!start) throw new Error(`No chunk named ${chunkName} in the build.`)
        const files = new Set<string>()
        const styles = new Set<string>()
        const visit = (fileName: string): void => {
          const chunk = chunks.find((candidate) => candidate.fileName === fileName)
          if (!chunk || files.has(fileName)) return
          files.add(fileName)
          const css = (chunk as { viteMetadata?: { importedCss?: Set<string> } }).viteMetadata?.importedCss
          for (const style of css ?? []) styles.add(style)
          chunk.imports.forEach(visit)
        }
        visit(start.fileName)
        return [
          ...[...styles].map((href): HtmlTagDescriptor => ({
            tag: 'link',
            attrs: { rel: 'stylesheet', crossorigin: true, href: `/${href}` },
            injectTo: 'head',
          })),
          ...[...files].map((href): HtmlTagDescriptor => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `/${href}` },
            injectTo: 'head',
          })),
        ]
      },
    },
  }
}
