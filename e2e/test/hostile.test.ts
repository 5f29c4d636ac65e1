import { hostileFiles, payloads, remote } from '../src/corpus.ts'
import { gallery } from '../src/screens.ts'
import { expect, test, untilIngested, type Page } from '../src/test.ts'

test.use({ library: 'hostile', signedInAs: 'administrator' })

/** Bytes that arrive without a browser: names go on the wire as they are. */
async function uploadAny(
  address: string,
  token: string,
  file: { name: string; bytes: Buffer; mimeType: string },
): Promise<{ status: number; id: number | null; detail: string }> {
  const form = new FormData()
  form.append('file', new File([Uint8Array.from(file.bytes)], file.name, { type: file.mimeType }))
  const answer = await fetch(`${address}/api/v4/dam/assets/`, {
    method: 'POST',
    headers: { authorization: `Token ${token}` },
    body: form,
  })
  const body = (await answer.json()) as { id?: number; detail?: string }
  return { status: answer.status, id: body.id ?? null, detail: body.detail ?? '' }
}

test('hostile names, metadata and files are stored or refused in words, and nothing of them ever runs', async ({
  page,
  product,
  people,
  watched,
}) => {
  test.setTimeout(240_000)
  const files = await hostileFiles()
  const stored: number[] = []
  for (const file of files) {
    const { status, id, detail } = await uploadAny(product.address, people.administrator.token, file)
    expect.soft(status, `${file.name}: ${detail}`).toBeLessThan(500)
    if (status === 201) stored.push(id!)
    else expect.soft(detail, `${file.name} is refused in words`).toMatch(/\w+ \w+/)
  }
  expect(stored.length).toBeGreaterThan(10)
  await untilIngested(people.administrator, 180_000)
  const [first] = stored
  await people.administrator.api('updateAsset', {
    params: { id: first! },
    body: { label: payloads[0]!, description: payloads.join('\n'), tags: payloads.slice(0, 3) },
  })
  await people.administrator.api('createCollection', { body: { name: payloads[1]!.slice(0, 200), parent: null } })

  const looked: string[] = []
  const look = async (address: string): Promise<void> => {
    await page.goto(address)
    await page.waitForLoadState('networkidle').catch(() => undefined)
    looked.push(address)
    expect.soft(await pwned(page), address).toBeUndefined()
  }
  for (const view of [
    '',
    '?view=list',
    '?sort=filename',
    `?q=${encodeURIComponent(payloads[0]!)}`,
    `?tag=${encodeURIComponent(payloads[1]!)}`,
  ])
    await look(`/dam/gallery${view}`)
  await scrollThrough(page)
  for (const id of stored.slice(0, 16)) await look(`/dam/assets/${id}`)
  for (const place of ['/dam/trash', '/admin/users', '/admin/health', '/settings']) await look(place)

  const attacks = (await people.administrator.api('listAssets', { query: { limit: 100 } })).data.results.filter(
    (asset) => /svg|html|xml|pdf|text|script/.test(asset.mime_type) || /svg|html/.test(asset.filename),
  )
  expect(attacks.length).toBeGreaterThan(1)
  for (const asset of attacks) {
    for (const query of ['', '?inline=1']) {
      const answer = await page.request.get(`${asset.download_url.replace(product.address, '')}${query}`)
      const headers = answer.headers()
      expect.soft(headers['x-content-type-options'], asset.filename).toBe('nosniff')
      expect.soft(headers['content-security-policy'], asset.filename).toContain('sandbox')
      if (/svg|html|xml|pdf/.test(asset.mime_type))
        expect.soft(headers['content-disposition'], `${asset.filename}${query}`).toMatch(/^attachment/)
      expect.soft(headers['content-type'], asset.filename).not.toMatch(/html|javascript|css|^(text|application)\/xml/)
    }
  }
  // The original itself, opened and embedded by a page of our own origin.
  const bait = attacks.find((asset) => asset.mime_type === 'image/svg+xml')!
  await page.goto('/dam/gallery')
  for (const element of ['iframe', 'embed', 'object', 'img', 'script'] as const) {
    await page.evaluate(
      ([tag, url]) =>
        new Promise<void>((resolve) => {
          const node = document.createElement(tag)
          try {
            node.setAttribute(tag === 'object' ? 'data' : 'src', url)
          } catch {
            // Trusted types refuse a script's address at once.
          }
          node.addEventListener('load', () => resolve())
          node.addEventListener('error', () => resolve())
          setTimeout(resolve, 800)
          document.body.append(node)
        }),
      [element, `/api/v4/dam/assets/${bait.id}/download/?inline=1`] as const,
    )
  }
  expect(await pwned(page)).toBeUndefined()
  // These were our own attempts, and the page's policy was right to refuse them.
  await page.goto('about:blank')
  watched.complaints = watched.complaints.filter(
    (complaint) => !/Content Security Policy|TrustedScriptURL|Refused to|Framing|frame/i.test(complaint),
  )
  expect(watched.requests.filter((url) => url.startsWith(remote))).toEqual([])
  await product.ready()
})

const pwned = (page: Page): Promise<unknown> =>
  page.evaluate(() => (window as unknown as { __pwned?: unknown }).__pwned)

async function scrollThrough(page: Page): Promise<void> {
  await page.goto('/dam/gallery')
  await gallery(page).labels()
  const scroller = page.locator('[data-gallery]')
  for (let step = 0; step < 30; step += 1) {
    const atEnd = await scroller.evaluate((element) => {
      element.scrollBy(0, element.clientHeight * 0.8)
      return element.scrollTop + element.clientHeight >= element.scrollHeight - 2
    })
    await page.waitForTimeout(120)
    if (atEnd) return
  }
}
