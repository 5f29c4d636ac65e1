import { AxeBuilder } from '@axe-core/playwright'
import { mixedFiles } from '../src/corpus.ts'
import { pdf } from '../src/files.ts'
import { gallery } from '../src/screens.ts'
import { expect, test, untilIngested, upload, type Page, type People } from '../src/test.ts'

test.use({ library: 'accessibility', signedInAs: 'administrator' })

const standard = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** Everything wrong with the page as it is now, each with where. */
async function violations(page: Page, where: string): Promise<string[]> {
  await page.waitForTimeout(350)
  const { violations: found } = await new AxeBuilder({ page }).withTags(standard).analyze()
  return found.flatMap((violation) =>
    violation.nodes.map(
      (node) =>
        `${where}: ${violation.id} at ${node.target.join(' ')}: ${node.failureSummary?.split('\n').slice(1, 3).join(' ').trim()}`,
    ),
  )
}

async function expectNone(page: Page, where: string): Promise<void> {
  expect.soft(await violations(page, where)).toEqual([])
  const sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect.soft(sideways, `${where} scrolls sideways`).toBeLessThanOrEqual(0)
}

let ids: number[] = []
const prepared = new Set<string>()
async function fill(address: string, people: People): Promise<void> {
  if (prepared.has(address)) return
  prepared.add(address)
  ids = await upload(address, people.editor, await mixedFiles())
  await untilIngested(people.editor)
  await people.editor.api('bulkAssets', {
    body: { ids: ids.slice(0, 3), action: 'add_tags', data: { tags: ['coast', 'summer'] }, dry_run: false },
  })
  await people.editor.api('createCollection', { body: { name: 'Calendar', parent: null } })
  await people.editor.api('deleteAsset', { params: { id: ids[5]! } })
}

const forms = [
  { name: 'desktop, light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'desktop, dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: '320 px, light', viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  { name: '320 px, dark', viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
] as const

test('an empty library is accessible', async ({ page }) => {
  for (const { name, viewport, colorScheme } of forms) {
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    for (const place of ['/dam/gallery', '/dam/trash']) {
      await page.goto(place)
      await expect(page.getByRole('heading').first()).toBeVisible()
      await expectNone(page, `${place} empty, ${name}`)
    }
  }
})

test('assets in processing and a server that answers with errors are accessible', async ({ page, product, people }) => {
  const [id] = await upload(product.address, people.editor, [pdf('waiting.pdf', 'This asset waits')])
  await untilIngested(people.editor)
  for (const { name, viewport, colorScheme } of [forms[0], forms[3]]) {
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    // The state lasts too short to be looked at: the answer is held at it.
    await page.route('**/api/v4/dam/assets/**', async (route) => {
      if (/(download|renditions|timeline|stream)/.test(route.request().url())) return route.continue()
      const answer = await route.fetch()
      const body = (await answer.text())
        .replaceAll('"status":"ready"', '"status":"processing"')
        .replaceAll('"preview_state":"ready"', '"preview_state":"pending"')
        .replaceAll(/"(thumbnail|preview)_url":"[^"]*"/g, '"$1_url":null')
      await route.fulfill({ response: answer, body })
    })
    await page.goto('/dam/gallery')
    await expect(gallery(page).card('waiting')).toBeVisible()
    await expectNone(page, `gallery in processing, ${name}`)
    await page.goto(`/dam/assets/${id}`)
    await expect(page.getByRole('textbox', { name: /^title/i })).toBeVisible()
    await expectNone(page, `asset in processing, ${name}`)
    await page.unroute('**/api/v4/dam/assets/**')

    const problem = {
      status: 500,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        detail: 'Something went wrong on the server.',
        error: { code: 'internal-error', message: 'Something went wrong on the server.', details: {}, request_id: 'x' },
      }),
    }
    await page.route('**/api/v4/dam/assets/**', (route) => route.fulfill(problem))
    await page.goto('/dam/gallery')
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 })
    await expectNone(page, `gallery with an error, ${name}`)
    await page.unroute('**/api/v4/dam/assets/**')
  }
})

for (const { name, viewport, colorScheme } of forms) {
  test(`every screen is accessible: ${name}`, async ({ page, product, people, openAs }) => {
    test.setTimeout(240_000)
    await fill(product.address, people)
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    const { labels, grid, filter, order, selection } = gallery(page)

    await page.goto('/dam/gallery')
    await labels()
    await expectNone(page, `gallery, ${name}`)
    for (const chip of ['Type', 'Date', 'Tags'] as const) {
      await filter(chip).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await expectNone(page, `filter ${chip}, ${name}`)
      await page.keyboard.press('Escape')
    }
    await order.click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await expectNone(page, `order, ${name}`)
    await page.keyboard.press('Escape')
    await grid.locator('a[data-asset]').first().focus()
    await page.keyboard.press('x')
    await expect(selection).toBeVisible()
    await expectNone(page, `selection, ${name}`)
    await page.keyboard.press('Escape')
    await page.goto('/dam/gallery?view=list')
    await labels()
    await expectNone(page, `list, ${name}`)
    await page.keyboard.press('ControlOrMeta+k')
    await page.getByRole('combobox').fill('hills')
    await expect(page.getByRole('option').nth(2)).toBeVisible()
    await expectNone(page, `search, ${name}`)
    await page.keyboard.press('Escape')
    await page.goto('/dam/gallery?q=nothing-has-this-word')
    await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible()
    await expectNone(page, `nothing found, ${name}`)

    const listed = (await people.editor.api('listAssets', { query: { limit: 100 } })).data.results
    for (const kind of ['image', 'document', 'audio', 'other'] as const) {
      const asset = listed.find((each) => each.type === kind)
      if (!asset) continue
      await page.goto(`/dam/assets/${asset.id}`)
      await expect(page.getByRole('textbox', { name: /^title/i })).toBeVisible()
      await expectNone(page, `${kind} asset, ${name}`)
    }
    for (const place of ['/dam/trash', '/settings', '/admin/users', '/admin/health', '/nowhere', '/api/docs/']) {
      await page.goto(place)
      await expect(page.getByRole('heading').first()).toBeVisible()
      await expectNone(page, `${place}, ${name}`)
    }
    const stranger = await openAs(null, { viewport })
    await stranger.emulateMedia({ colorScheme })
    await stranger.goto('/')
    await expect(stranger.getByRole('button', { name: 'Sign in' })).toBeVisible()
    await stranger.getByLabel('User name').fill('nobody')
    await stranger.getByLabel('Password', { exact: true }).fill('not the password')
    await stranger.getByRole('button', { name: 'Sign in' }).click()
    await expect(stranger.getByRole('alert')).not.toBeEmpty()
    await expectNone(stranger, `sign-in with an error, ${name}`)
  })
}
