import { picture } from '../src/files.ts'
import { gallery } from '../src/screens.ts'
import { credentialsOf, expect, test, untilIngested, upload, type Page } from '../src/test.ts'

test.use({ library: 'keyboard' })

test.beforeAll(async ({ product, people }) => {
  await upload(
    product.address,
    people.editor,
    await Promise.all(
      ['apple', 'birch', 'cedar', 'daisy'].map((name, n) =>
        picture(`${name}.jpg`, { width: 400 + n, height: 300, hue: n * 80 }),
      ),
    ),
  )
  await untilIngested(people.editor)
})

/** What has the focus, in the words of a screen reader; it must be visible. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement
    return element
      ? `${element.getAttribute('role') ?? element.tagName.toLowerCase()} ${element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 60) ?? ''}`
      : ''
  })

async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  const seen: string[] = []
  for (let step = 0; step < 60; step += 1) {
    const now = await focused(page)
    if (wanted.test(now)) return
    seen.push(now)
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab never reached ${wanted}; it went over:\n${seen.join('\n')}`)
}

test('the whole way from sign-in to a restored asset is walked with the keyboard alone', async ({ page, people }) => {
  const { username, password } = credentialsOf('editor')
  const { labels, card, selection } = gallery(page)
  await page.goto('/dam/gallery?sort=label')
  await expect(page.getByLabel('User name')).toBeFocused()
  await page.keyboard.type(username)
  await page.keyboard.press('Tab')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await expect.poll(labels).toEqual(['apple', 'birch', 'cedar', 'daisy'])

  await page.keyboard.press('Tab')
  expect(await focused(page)).toContain('Skip to the content')
  await page.keyboard.press('Enter')
  await tabTo(page, /^a apple/)
  await page.keyboard.press('ArrowRight')
  await expect(card('birch')).toBeFocused()
  const outline = await card('birch').evaluate((element) => {
    const style = getComputedStyle(element)
    const after = getComputedStyle(element, '::after')
    return [
      style.outlineStyle,
      style.boxShadow,
      after.outlineStyle,
      after.boxShadow,
      getComputedStyle(element.parentElement!).boxShadow,
    ].join(' ')
  })
  expect(outline.replaceAll('none', '').trim(), 'the focus can be seen').not.toBe('')

  await page.keyboard.press('Enter')
  const title = page.getByRole('textbox', { name: /^title/i })
  await expect(title).toHaveValue('birch')
  await tabTo(page, /^textarea Title/)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('birch in spring')
  await page.keyboard.press('Tab')
  await expect
    .poll(async () => (await people.editor.api('listAssets', { query: { search: 'spring' } })).data.count)
    .toBe(1)
  // The focus is in the next field: the first Escape leaves it, the second the page.
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await expect(card('birch in spring')).toBeFocused()

  await page.keyboard.press('x')
  await page.keyboard.press('Shift+ArrowRight')
  await expect(selection).toContainText('2 selected')
  await page.keyboard.press('Delete')
  await expect.poll(labels).toEqual(['apple', 'daisy'])

  await page.keyboard.press('ControlOrMeta+k')
  await page.keyboard.type('trash')
  await expect(page.getByRole('option', { name: /^Trash/ })).toBeVisible()
  for (
    let step = 0;
    step < 10 && !(await page.getByRole('option', { name: /^Trash/ }).getAttribute('aria-selected'))?.includes('true');
    step += 1
  )
    await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/dam\/trash/)
  await expect.poll(async () => (await labels()).toSorted()).toEqual(['birch in spring', 'cedar'])
  await tabTo(page, /^a (birch in spring|cedar)/)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.press('r')
  await expect(page.getByRole('heading', { name: 'The trash is empty' })).toBeVisible()

  await page.keyboard.press('Shift+?')
  await expect(page.getByRole('dialog')).toContainText(/shortcuts/i)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})
