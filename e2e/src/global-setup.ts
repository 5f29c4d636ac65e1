import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { chromiumProgram, corpusFolder, root } from './config.ts'

/** Says at once what is missing, and builds the product before several of it start. */
export default function prepare(): void {
  chromiumProgram()
  if (!corpusFolder) console.log('No corpus (DAM_CORPUS): the journeys use files they make themselves.')
  execFileSync(path.join(root, 'dam'), ['build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}
