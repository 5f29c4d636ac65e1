// Writes contract/openapi.json, or with --check fails when it is not what the contract says.
import { readFileSync, writeFileSync } from 'node:fs'
import manifest from '../../package.json' with { type: 'json' }
import { openapi } from './http/openapi.ts'

const file = new URL('../../contract/openapi.json', import.meta.url)
const text = `${JSON.stringify(openapi(manifest.version), null, 2)}\n`
if (process.argv.includes('--check')) {
  let committed = ''
  try {
    committed = readFileSync(file, 'utf8')
  } catch {
    // A missing file is drift like any other.
  }
  if (committed !== text) {
    console.error('contract/openapi.json is not what the contract says. Run: node backend/src/write-openapi.ts')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
}
