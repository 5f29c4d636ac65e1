import { mixedFiles } from '../src/corpus.ts'
import { gallery, open } from '../src/screens.ts'
import { expect, layoutShift, test, untilIngested, upload } from '../src/test.ts'

test.use({ library: 'gallery', signedInAs: 'editor' })

let total = 0
test.beforeAll(async ({ product, people }) => {
  const files = await mixedFiles()
  total = files.length
  const ids = await upload(product.address, people.editor, files)
  await untilIngested(people.editor)
  const dawn = ids.slice(1, 4)
  await people.editor.api('bulkAssets', {
    body: { ids: dawn, action: 'add_tags', data: { tags: ['dawn', 'for, print'] }, dry_run: false },
  })
})

test('the first pictures are there without anything having moved', async ({ page }) => {
  await open(page, '/dam/gallery')
  const { grid, labels } = gallery(page)
  expect((await labels()).length).toBeGreaterThan(4)
  await expect
    .poll(() =>
      grid
        .locator('img')
        .evaluateAll(
          (images) =>
            images.filter(
              (image) => (image as HTMLImageElement).complete && (image as HTMLImageElement).naturalWidth > 0,
            ).length,
        ),
    )
    .toBeGreaterThan(3)
  await page.waitForTimeout(500)
  const { sum, sources } = await layoutShift(page)
  expect(sum, sources.join('\n')).toBeLessThan(0.02)
})

test('order, type, date and tags are in the address, and the back button takes each back', async ({ page, people }) => {
  const { order, filter, labels, card, grid } = gallery(page)
  await open(page, '/dam/gallery')
  await labels()

  await order.click()
  await page.getByRole('dialog').getByText('File name', { exact: true }).click()
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(/sort=filename/)
  const named = (await people.editor.api('listAssets', { query: { ordering: 'filename', limit: 5 } })).data.results
  await expect.poll(async () => (await labels()).slice(0, 5)).toEqual(named.map((asset) => asset.label))

  await filter('Type').click()
  await page.getByRole('dialog').getByText('Document', { exact: true }).click()
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(/type=document/)
  await expect(card('handbook')).toBeVisible()
  await expect(card('hills-01')).toHaveCount(0)

  await page.goBack()
  await expect(page).not.toHaveURL(/type=/)
  await expect(page).toHaveURL(/sort=filename/)
  await expect.poll(async () => (await labels()).length).toBeGreaterThan(3)

  await filter('Date').click()
  await page.getByRole('dialog').getByText('2022', { exact: true }).first().click()
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(/date=2022/)
  const of2022 = (await people.editor.api('listAssets', { query: { ordering: 'filename', date: '2022', limit: 100 } }))
    .data.results
  await expect.poll(labels).toEqual(of2022.map((asset) => asset.label))

  await open(page, '/dam/gallery')
  await filter('Tags').click()
  await page.getByRole('dialog').getByText('for, print', { exact: true }).click()
  await page.keyboard.press('Escape')
  await expect.poll(labels).toHaveLength(3)
  const address = page.url()
  await page.reload()
  await expect.poll(labels, 'the address alone shows the same').toHaveLength(3)
  expect(page.url()).toBe(address)
  await page.getByRole('button', { name: 'Clear filter: Tags' }).click()
  await expect.poll(async () => (await labels()).length).toBeGreaterThan(3)
  await expect(grid).toBeVisible()
})

test('assets are selected with mouse, shift, keyboard, and all at once', async ({ page }) => {
  const { tick, cell, selection, selected, labels, card, grid } = gallery(page)
  await open(page, '/dam/gallery?type=image&sort=filename')
  const shown = await labels()
  const [one, two, three, four] = [shown[0]!, shown[1]!, shown[2]!, shown[3]!]
  await cell(one).first().hover()
  await tick(one).first().click()
  await expect(selection).toContainText('1 selected')
  await card(four)
    .first()
    .click({ modifiers: ['Shift'] })
  expect(await selected()).toEqual([one, two, three, four])
  await card(three)
    .first()
    .click({ modifiers: ['ControlOrMeta'] })
  await expect(selection).toContainText('3 selected')
  await page.keyboard.press('Escape')
  await expect(selection).toBeHidden()

  await card(one).first().focus()
  await page.keyboard.press('x')
  await page.keyboard.press('Shift+ArrowRight')
  await page.keyboard.press('Shift+ArrowRight')
  expect(await selected()).toEqual([one, two, three])
  await page.keyboard.press('Shift+ArrowLeft')
  expect(await selected()).toEqual([one, two])
  await page.keyboard.press('ControlOrMeta+a')
  await expect(selection).toContainText(/all/i)
  await page.keyboard.press('Escape')
  expect(await selected()).toEqual([])
  await expect(grid).toBeVisible()
})

test('the list shows type, size, pixels and dates, and orders by its columns', async ({ page, people }) => {
  const { labels } = gallery(page)
  await open(page, '/dam/gallery')
  await page.getByRole('button', { name: 'List' }).click()
  await expect(page).toHaveURL(/view=list/)
  await page.getByRole('columnheader', { name: 'Size' }).getByRole('link').click()
  await expect(page.getByRole('columnheader', { name: 'Size' })).toHaveAttribute('aria-sort', 'descending')
  const bySize = (await people.editor.api('listAssets', { query: { ordering: '-size', limit: 5 } })).data.results
  await expect.poll(async () => (await labels()).slice(0, 5)).toEqual(bySize.map((asset) => asset.label))
  await expect(page.getByRole('row').nth(1)).toContainText(`${bySize[0]!.width} × ${bySize[0]!.height}`)
  await page.reload()
  await expect(page.getByRole('columnheader', { name: 'Size' })).toBeVisible()
})

test('light, dark and automatic are chosen in the settings and last', async ({ page }) => {
  const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const lightness = async (): Promise<number> => {
    const colour = await background()
    return page.evaluate((value) => {
      const context = document.createElement('canvas').getContext('2d')!
      context.fillStyle = value
      context.fillRect(0, 0, 1, 1)
      const [red, green, blue] = context.getImageData(0, 0, 1, 1).data
      return (red! + green! + blue!) / 765
    }, colour)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await open(page, '/settings')
  expect(await lightness()).toBeGreaterThan(0.8)
  await page.getByText('Dark', { exact: true }).click()
  await expect.poll(lightness).toBeLessThan(0.3)
  await open(page, '/dam/gallery')
  expect(await lightness()).toBeLessThan(0.3)
  await open(page, '/settings')
  await page.getByText('As the system', { exact: true }).click()
  await expect.poll(lightness).toBeGreaterThan(0.8)
  await page.emulateMedia({ colorScheme: 'dark' })
  await expect.poll(lightness, 'automatic follows the system while the page is open').toBeLessThan(0.3)
})

test('Ctrl+K searches titles, names, tags and embedded words as one types', async ({ page }) => {
  const { card } = gallery(page)
  await open(page, '/dam/gallery')
  await page.keyboard.press('ControlOrMeta+k')
  const palette = page.getByRole('dialog')
  const field = palette.getByRole('combobox')
  for (const [words, expected] of [
    ['lighthouse zing', 'Lighthouse at Zingst'],
    ['zorki', 'hills-'],
    ['handb', 'handbook'],
    ['dawn', 'hills-'],
  ] as const) {
    await field.fill('')
    await field.pressSequentially(words, { delay: 20 })
    await expect(palette.getByRole('option').filter({ hasText: expected }).first(), words).toBeVisible()
  }
  await field.fill('no such thing anywhere')
  await expect(palette.getByText(/nothing|no results|no match|no asset/i).first()).toBeVisible()
  await field.fill('pentacon')
  await expect(palette.getByRole('option').first()).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(palette).toBeHidden()
  await open(page, '/dam/gallery?q=pentacon')
  await expect(card('Lighthouse at Zingst')).toBeVisible()
  await expect.poll(() => card('hills-02').count()).toBe(0)
})

test('a collection of pictures that were dragged onto it shows just these', async ({ page, people }) => {
  const collection = (await people.editor.api('createCollection', { body: { name: 'Calendar', parent: null } })).data
  await open(page, '/dam/gallery?type=image&sort=filename')
  const { labels, card } = gallery(page)
  const [, , third] = await labels()
  await card(third!)
    .first()
    .dragTo(page.getByRole('navigation').getByRole('link', { name: /^Calendar/ }))
  await expect
    .poll(async () =>
      (await people.editor.api('listCollectionAssets', { params: { id: collection.id }, query: {} })).data.results.map(
        (asset) => asset.label,
      ),
    )
    .toEqual([third])
  await page
    .getByRole('navigation')
    .getByRole('link', { name: /^Calendar/ })
    .click()
  await expect(page).toHaveURL(new RegExp(`/collections/${collection.id}`))
  await expect.poll(labels).toEqual([third])
})

test('the gallery says how many there are and holds its place while one looks at an asset', async ({ page }) => {
  await page.setViewportSize({ width: 700, height: 500 })
  await open(page, '/dam/gallery')
  const { labels, grid } = gallery(page)
  await labels()
  await expect(page.getByText(new RegExp(`\\b${total}\\b`)).first()).toBeVisible()
  const scroller = page.locator('[data-gallery]')
  await scroller.evaluate((element) => element.scrollTo(0, 400))
  await page.waitForTimeout(300)
  const place = await scroller.evaluate((element) => element.scrollTop)
  expect(place).toBeGreaterThan(100)
  await grid.getByRole('link').nth(6).click()
  await expect(page).toHaveURL(/\/dam\/assets\/\d+/)
  await page.goBack()
  await expect(grid).toBeVisible()
  await expect.poll(() => scroller.evaluate((element) => element.scrollTop)).toBe(place)
})
