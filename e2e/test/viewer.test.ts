import { picture } from '../src/files.ts'
import { gallery, open } from '../src/screens.ts'
import { expect, test, untilIngested, upload } from '../src/test.ts'

test.use({ library: 'viewer', signedInAs: 'viewer' })

let id: number
test.beforeAll(async ({ product, people }) => {
  id = (
    await upload(product.address, people.editor, [await picture('public.jpg', { width: 800, height: 600, hue: 300 })])
  )[0]!
  await upload(product.address, people.editor, [await picture('other.jpg', { width: 600, height: 600, hue: 30 })])
  await untilIngested(people.editor)
})

test('a viewer finds no way to change anything, and the server would refuse it', async ({ page }) => {
  const { card, tick, cell, selection } = gallery(page)
  await open(page, '/dam/gallery')
  await expect(card('public')).toBeVisible()
  for (const name of ['Upload', /move to trash/i, /new collection/i])
    await expect(page.getByRole('button', { name })).toHaveCount(0)
  for (const name of ['Trash', 'Users', 'Health'])
    await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0)
  await cell('public').hover()
  await tick('public').click()
  await expect(selection.getByRole('button', { name: 'Download' })).toBeVisible()
  for (const name of [/trash/i, /tag/i, /collection/i])
    await expect(selection.getByRole('button', { name })).toHaveCount(0)
  await page.keyboard.press('Delete')
  await page.keyboard.press('Escape')
  await expect(card('public')).toBeVisible()

  await open(page, `/dam/assets/${id}`)
  await expect(page.getByText('public').first()).toBeVisible()
  await expect(page.locator('main').getByRole('textbox')).toHaveCount(0)
  await expect(page.getByRole('button', { name: /trash/i })).toHaveCount(0)

  for (const place of ['/dam/trash', '/admin/users', '/admin/health']) {
    await open(page, place)
    await expect(page.getByText(/nothing at this address/i)).toBeVisible()
  }
  const status = (method: string, url: string): Promise<number> =>
    page.evaluate(
      ([verb, address]) =>
        fetch(address!, {
          method: verb!,
          headers: { 'content-type': 'application/json' },
          ...(verb === 'GET' ? {} : { body: '{}' }),
        }).then((answer) => answer.status),
      [method, url],
    )
  expect(await status('PATCH', `/api/v4/dam/assets/${id}/`)).toBe(403)
  expect(await status('DELETE', `/api/v4/dam/assets/${id}/`)).toBe(403)
  expect(await status('GET', '/api/v4/trash/')).toBe(403)
  expect(await status('GET', '/api/v4/dam/assets/999999/')).toBe(404)
})

test('what goes to the trash disappears for a viewer while the page is open', async ({ page, people }) => {
  const { card } = gallery(page)
  await open(page, '/dam/gallery')
  await expect(card('other')).toBeVisible()
  const other = (await people.editor.api('listAssets', { query: { search: 'other' } })).data.results[0]!
  await people.editor.api('deleteAsset', { params: { id: other.id } })
  await expect(card('other')).toHaveCount(0)
  expect((await page.request.get(`/api/v4/dam/assets/${other.id}/`)).status()).toBe(404)
  expect((await page.request.get(`/api/v4/dam/assets/${other.id}/download/`)).status()).toBe(404)
})
