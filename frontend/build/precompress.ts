import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const compressible = /\.(js|css|html|svg|json|webmanifest|wasm)$/
const smallestWorthwhileBytes = 512

/** Writes `.br` and `.gz` beside every text file of the build, so that the server never compresses at request time. */
export function precompress(): Plugin {
  let directory = ''
  return {
    name: 'dam-precompress',
    apply: 'build',
    configResolved(config) {
      directory = resolve(config.root, config.build.outDir)
    },
    async closeBundle() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true })
      await Promise.all(
        entries
          .filter((entry) => entry.isFile() && compressible.test(entry.name))
          .map(async (entry) => {
            const path = join(entry.parentPath, entry.name)
            const bytes = await readFile(path)
            if (bytes.length < smallestWorthwhileBytes) return
            const [brotli, gzipped] = await Promise.all([
              promisify(brotliCompress)(bytes, {
                params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
              }),
              promisify(gzip)(bytes, { level: 9 }),
            ])
            await Promise.all([writeFile(`${path}.br`, brotli), writeFile(`${path}.gz`, gzipped)])
          }),
      )
    },
  }
}
