import { readFileSync } from 'node:fs'
import { picture, pdf, type TestFile } from '../src/files.ts'
import { gallery, open } from '../src/screens.ts'
import { expect, test, untilIngested, upload, type Page, type Person } from '../src/test.ts'

test.use({ library: 'asset', signedInAs: 'editor' })

let files: TestFile[]
let ids: number[]
test.beforeAll(async ({ product, people }) => {
  files = [
    await picture('harbour.jpg', {
      width: 2400,
      height: 1600,
      hue: 200,
      capturedAt: '2023:07:04 18:05:09',
      camera: 'Pentacon Six',
      title: 'Harbour in the evening',
      keywords: ['harbour', 'evening'],
    }),
    await picture('field.jpg', { width: 800, height: 1200, hue: 90 }),
    await picture('desert.png', { width: 700, height: 500, hue: 40, format: 'png' }),
    pdf('tides.pdf', 'Tide table'),
  ]
  ids = await upload(product.address, people.editor, files)
  await untilIngested(people.editor)
})

const title = (page: Page) => page.getByRole('textbox', { name: /^title/i })
const description = (page: Page) => page.getByRole('textbox', { name: /^description/i })
const stored = async (person: Person, id: number) => (await person.api('getAsset', { params: { id } })).data

test('an asset shows its picture and what the file says about itself', async ({ page }) => {
  await open(page, `/dam/assets/${ids[0]}`)
  await expect(title(page)).toHaveValue('Harbour in the evening')
  for (const fact of [
    'Pentacon Six',
    '2400 × 1600',
    /4 Jul(y)? 2023,? (at )?18:05/,
    'harbour.jpg',
    'image/jpeg|JPEG',
  ]) {
    await expect(page.getByText(typeof fact === 'string' ? new RegExp(fact) : fact).first(), String(fact)).toBeVisible()
  }
  const image = page.locator('main img').first()
  await expect.poll(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBeGreaterThan(1000)
  await expect(page.getByText('harbour', { exact: true }).first()).toBeVisible()
})

test('title, description and tags are saved while one works, and taken back', async ({ page, people }) => {
  const id = ids[1]!
  await open(page, `/dam/assets/${id}`)
  await title(page).fill('Field in June')
  await title(page).press('Tab')
  await expect.poll(async () => (await stored(people.editor, id)).label).toBe('Field in June')
  await description(page).fill('Barley, shortly before the harvest.')
  await expect
    .poll(async () => (await stored(people.editor, id)).description, 'saved without leaving the field')
    .toBe('Barley, shortly before the harvest.')
  const tags = page
    .getByRole('combobox', { name: /tag/i })
    .or(page.getByRole('textbox', { name: /tag/i }))
    .first()
  await tags.fill('barley')
  await tags.press('Enter')
  await expect.poll(async () => (await stored(people.editor, id)).tags).toContain('barley')

  await page
    .getByText('Tags saved')
    .locator('xpath=ancestor-or-self::*[.//button][1]')
    .getByRole('button', { name: 'Undo' })
    .click()
  await expect.poll(async () => (await stored(people.editor, id)).tags).not.toContain('barley')
  await page.reload()
  await expect(title(page)).toHaveValue('Field in June')
  await expect(description(page)).toHaveValue('Barley, shortly before the harvest.')
})

test('two windows that edit the same title find the conflict, and no text is lost', async ({
  page,
  context,
  people,
}) => {
  const id = ids[2]!
  const second = await context.newPage()
  await open(page, `/dam/assets/${id}`)
  await expect(title(page)).not.toHaveValue('')
  // Both have begun to type before either is saved: no news reaches the second window, which must not have a stream already.
  await second.route('**/events/stream/**', (route) => route.abort())
  await second.goto(`/dam/assets/${id}`)
  await expect(title(second)).not.toHaveValue('')
  await title(second).focus()
  await title(page).fill('Title of the first window')
  await title(page).press('Tab')
  await expect.poll(async () => (await stored(people.editor, id)).label).toBe('Title of the first window')
  const conflict = second.waitForResponse((answer) => answer.request().method() === 'PATCH' && answer.status() === 412)
  await people.editor.api('updateAsset', { params: { id }, body: { label: 'Title of a program' } })
  await title(second).fill('Title of the second window')
  await title(second).press('Tab')
  await conflict
  const question = second.getByRole('dialog', { name: 'Someone else changed this meanwhile' })
  await expect(question.getByText('Title of a program'), 'the other text can be read').toBeVisible()
  await expect(question.getByText('Title of the second window')).toBeVisible()
  await question.getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => (await stored(people.editor, id)).label).toBe('Title of the second window')
})

test('the picture is enlarged to its pixels and fits again', async ({ page }) => {
  await open(page, `/dam/assets/${ids[0]}`)
  const image = page.locator('main img').first()
  await expect.poll(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBeGreaterThan(1000)
  const widthOf = (): Promise<number> => image.evaluate((element) => element.getBoundingClientRect().width)
  const fitted = await widthOf()
  await page.getByRole('button', { name: /zoom in|enlarge/i }).click()
  await expect.poll(widthOf).toBeGreaterThan(fitted * 1.2)
  await page.getByRole('button', { name: /fit/i }).click()
  await expect.poll(widthOf).toBeCloseTo(fitted, 0)
})

test('arrow keys lead to the previous and next asset in the order of the gallery, Escape back to it', async ({
  page,
}) => {
  await open(page, '/dam/gallery?sort=filename&type=image')
  const { labels, card, grid } = gallery(page)
  const shown = await labels()
  await card(shown[0]!).click()
  await expect(title(page)).toHaveValue(shown[0]!)
  await page.keyboard.press('ArrowRight')
  await expect(title(page)).toHaveValue(shown[1]!)
  await page.keyboard.press('ArrowRight')
  await expect(title(page)).toHaveValue(shown[2]!)
  await page.keyboard.press('ArrowLeft')
  await expect(title(page)).toHaveValue(shown[1]!)
  await title(page).click()
  await page.keyboard.press('ArrowRight')
  await expect(title(page), 'in a field the arrows move the caret').toHaveValue(shown[1]!)
  await page.keyboard.press('Escape')
  await expect(title(page), 'Escape leaves the field').not.toBeFocused()
  await page.keyboard.press('Escape')
  await expect(grid).toBeVisible()
  await expect(page).toHaveURL(/\/dam\/gallery\?.*sort=filename/)
})

test('the original is downloaded byte for byte, and a rendition as a picture', async ({ page }) => {
  await open(page, `/dam/assets/${ids[0]}`)
  const [original] = await Promise.all([
    page.waitForEvent('download'),
    page
      .getByRole('link', { name: /download/i })
      .or(page.getByRole('button', { name: /download/i }))
      .first()
      .click(),
  ])
  expect(original.suggestedFilename()).toBe('harbour.jpg')
  expect(readFileSync(await original.path()).equals(files[0]!.bytes)).toBe(true)
  const preview = page.getByRole('link', { name: /preview/i }).first()
  const [rendition] = await Promise.all([page.waitForEvent('download'), preview.click()])
  const bytes = readFileSync(await rendition.path())
  expect(bytes.subarray(8, 12).toString() === 'WEBP' || bytes.subarray(0, 2).toString('hex') === 'ffd8').toBe(true)
})

test('the timeline shows every stage with how long it took', async ({ page }) => {
  await open(page, `/dam/assets/${ids[0]}`)
  await page.getByText('Timeline', { exact: true }).click()
  for (const stage of ['Identify', 'Read metadata', 'Make previews', 'Make findable'])
    await expect(page.getByText(stage, { exact: true })).toBeVisible()
  await expect(page.getByText(/\d+(\.\d+)?\s?(ms|s)\b/).first()).toBeVisible()
})

test('an asset that is not there says so', async ({ page }) => {
  await open(page, '/dam/assets/987654')
  await expect(page.getByText(/no such asset|not found|nothing at this address|does not exist/i).first()).toBeVisible()
})
