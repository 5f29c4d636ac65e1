import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { corpusFolder } from './config.ts'
import { pdf, picture, sound, text, type TestFile } from './files.ts'

const hostileSvg = (
  remote: string,
): string => `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="120" onload="window.__pwned='onload'">
  <script>window.__pwned='script'; top.__pwned='top'</script>
  <foreignObject width="200" height="120"><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="window.__pwned='foreign'"/></body></foreignObject>
  <image href="${remote}/pixel.png" width="10" height="10"/><use xlink:href="${remote}/use.svg#a"/>
  <a xlink:href="javascript:window.__pwned='href'"><rect width="200" height="120" fill="teal"/></a>
</svg>`

/** An address that nothing may ever ask: requests to it are the alarm. */
export const remote = 'http://canary.invalid'

export const payloads = [
  `<img src=x onerror="window.__pwned='img'">`,
  `"><script>window.__pwned='script'</script>`,
  `</title><svg onload=window.__pwned='svg'>`,
  `javascript:window.__pwned='url'`,
  `{{constructor.constructor("window.__pwned='template'")()}}`,
  `';DROP TABLE asset;--`,
]

/** Files that attack whoever shows them: made here, and the corpus's own where there is one. */
export async function hostileFiles(): Promise<TestFile[]> {
  const made: TestFile[] = [
    { name: 'script.svg', bytes: Buffer.from(hostileSvg(remote)), mimeType: 'image/svg+xml' },
    {
      name: 'page.jpg',
      bytes: Buffer.from(`<html><script>window.__pwned='html'</script></html>`),
      mimeType: 'image/jpeg',
    },
    text('page.html', `<script>window.__pwned='page'</script>`),
    text('script.js', `window.__pwned='script file'`),
    text('style.css', `body { background: url(${remote}/style.png) }`),
    { name: 'empty.jpg', bytes: Buffer.alloc(0), mimeType: 'image/jpeg' },
    ...(await Promise.all(
      payloads.map((payload, n) =>
        picture(`${payload.replaceAll('/', '∕')}.jpg`, {
          width: 240 + n,
          height: 160,
          hue: n * 50,
          title: payload,
          camera: `Brand ${payload}`,
          keywords: [payload],
        }),
      ),
    )),
    await picture('invoice\u202Egpj.exe.jpg', { width: 200, height: 200, hue: 10 }),
    await picture('line\u2028break\u0007bell.jpg', { width: 200, height: 201, hue: 20 }),
    await picture(`${'long '.repeat(45)}.jpg`, { width: 200, height: 202, hue: 30 }),
    await picture('emoji 🦊👩‍👩‍👧‍👦🏳️‍🌈 שלום.jpg', { width: 200, height: 203, hue: 40 }),
  ]
  return [...made, ...fromCorpus('hostile'), ...fromCorpus('names')]
}

/** Files of one folder of the corpus, at any depth; none where there is no corpus. */
export function fromCorpus(folder: string): TestFile[] {
  return corpusPaths(folder).map((file) => ({
    name: path.basename(file),
    bytes: readFileSync(file),
    mimeType: 'application/octet-stream',
  }))
}

export function corpusPaths(folder: string): string[] {
  if (!corpusFolder) return []
  const start = path.join(corpusFolder, folder)
  return (readdirSync(start, { recursive: true }) as string[])
    .map((name) => path.join(start, name))
    .filter((file) => statSync(file).isFile())
    .toSorted()
}

/** About 24 pictures with dates over three years, some described, and one file of each of four other kinds. */
export async function mixedFiles(): Promise<TestFile[]> {
  const made = await Promise.all(
    Array.from({ length: 16 }, (_, n) =>
      picture(`hills-${String(n + 1).padStart(2, '0')}.jpg`, {
        width: [900, 600, 760, 1200][n % 4]!,
        height: [600, 800, 760, 400][n % 4]!,
        hue: (n * 23) % 360,
        capturedAt: `${2021 + (n % 3)}:${String((n % 12) + 1).padStart(2, '0')}:15 10:20:30`,
        camera: n % 2 === 0 ? 'Pentacon Six' : 'Zorki 4K',
        ...(n === 0 ? { title: 'Lighthouse at Zingst', keywords: ['lighthouse', 'coast'] } : {}),
      }),
    ),
  )
  const real = corpusPaths('jpeg')
    .filter((file) => statSync(file).size < 400_000)
    .slice(0, 8)
    .map((file) => ({ name: path.basename(file), bytes: readFileSync(file), mimeType: 'image/jpeg' }))
  return [
    ...made,
    ...real,
    pdf('handbook.pdf', 'How to run a lighthouse'),
    sound('signal.wav'),
    text('notes.txt', 'Replace the lamp in spring.'),
    await picture('map.png', { width: 500, height: 500, hue: 200, format: 'png' }),
  ]
}
