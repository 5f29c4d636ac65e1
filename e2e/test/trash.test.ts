import { picture } from '../src/files.ts'
import { gallery, open } from '../src/screens.ts'
import { expect, test, untilIngested, upload } from '../src/test.ts'

test.use({ library: 'trash', signedInAs: 'administrator' })

let labels: string[]
test.beforeAll(async ({ product, people }) => {
  const files = await Promise.all(
    [1, 2, 3, 4, 5, 6].map((n) => picture(`leaf-${n}.jpg`, { width: 300 + n, height: 200, hue: n * 40 })),
  )
  await upload(product.address, people.editor, files)
  await untilIngested(people.editor)
  labels = files.map((file) => file.name.replace('.jpg', ''))
})

test('one and many go to the trash, come back, and leave for good only after a question', async ({ page, people }) => {
  const { card, cell, tick, selection } = gallery(page)
  const inTrash = async (): Promise<number> => (await people.editor.api('listTrash', { query: {} })).data.count
  await open(page, '/dam/gallery')
  await card(labels[0]!).focus()
  await page.keyboard.press('x')
  await page.keyboard.press('Delete')
  await expect(card(labels[0]!)).toHaveCount(0)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(card(labels[0]!)).toHaveCount(1)
  await expect.poll(inTrash).toBe(0)

  for (const label of labels.slice(0, 4)) {
    await cell(label).hover()
    await tick(label).click()
  }
  await selection.getByRole('button', { name: 'Move to trash' }).click()
  await expect.poll(inTrash).toBe(4)
  await expect(card(labels[4]!)).toBeVisible()
  await expect(card(labels[1]!)).toHaveCount(0)

  await page.getByRole('navigation').getByRole('link', { name: 'Trash' }).click()
  await expect(card(labels[0]!)).toBeVisible()
  for (const label of labels.slice(0, 2)) {
    await cell(label).hover()
    await tick(label).click()
  }
  await selection.getByRole('button', { name: 'Restore' }).click()
  await expect.poll(inTrash).toBe(2)
  await page.getByRole('navigation').getByRole('link', { name: 'Gallery', exact: true }).click()
  await expect(card(labels[0]!)).toBeVisible()

  await page.getByRole('navigation').getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('button', { name: /empty/i }).click()
  const question = page.getByRole('alertdialog').or(page.getByRole('dialog'))
  await expect(question).toContainText('2')
  await question.getByRole('button', { name: 'Cancel' }).click()
  expect(await inTrash()).toBe(2)
  await page.getByRole('button', { name: /empty/i }).click()
  await question.getByRole('button', { name: /delete|empty/i }).click()
  await expect.poll(inTrash).toBe(0)
  await expect(page.getByText(/trash is empty|nothing in the trash/i).first()).toBeVisible()
  expect((await people.editor.api('listAssets', { query: {} })).data.count).toBe(4)
})

test('an editor may not empty the trash', async ({ openAs, people }) => {
  const asset = (await people.editor.api('listAssets', { query: { limit: 1 } })).data.results[0]!
  await people.editor.api('deleteAsset', { params: { id: asset.id } })
  const page = await openAs('editor')
  await open(page, '/dam/trash')
  await expect(gallery(page).card(asset.label)).toBeVisible()
  await expect(page.getByRole('button', { name: /empty/i })).toHaveCount(0)
})
