import { buildFrontend } from '../frontend.ts'

export const help = `
Usage: ./dam build

Builds the web application into frontend/dist and the operations console into frontend/dist-console.
./dam up does this by itself when a source has changed.
`

export async function run(): Promise<number> {
  await buildFrontend({ force: true, say: (message) => console.log(message) })
  return 0
}
