import path from 'node:path'
import { openStore } from '../../store.ts'
import { buildRelease } from '../build-release.ts'
import { installRelease } from '../install-release.ts'
import { resolveRelease } from '../release-store.ts'

// A process of its own, for tests that kill it: build <host> <checkout> <tag> | install <host> <tag>. Says each step.
const [verb, hostDir = '', ...words] = process.argv.slice(2)
const say = (message: string): void => console.log(message)
if (verb === 'build') {
  const [checkout = '', tag = ''] = words
  console.log((await buildRelease({ hostDir, checkout, tag, say })).release.digest)
} else {
  const store = openStore(path.join(hostDir, 'ops'))
  console.log((await installRelease({ hostDir, release: resolveRelease(store, words[0] ?? ''), say })).dir)
}
