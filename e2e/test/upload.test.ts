import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { corpusFolder, scratch } from '../src/config.ts'
import { corpusPaths } from '../src/corpus.ts'
import { heavyPicture, pdf, picture, sound, text, writeTree, type TestFile } from '../src/files.ts'
import { dropFromDisk, gallery, limitUploadSpeed, open, uploads } from '../src/screens.ts'
import { expect, forgetLayoutShift, layoutShift, test, untilIngested, type Page, type Person } from '../src/test.ts'

test.use({ library: 'upload', signedInAs: 'editor' })

let folder: string
test.beforeAll(() => {
  mkdirSync(scratch, { recursive: true })
  folder = mkdtempSync(path.join(scratch, 'files-'))
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tree = async (name: string, files: Record<string, Promise<TestFile> | TestFile>): Promise<string> => {
  const entries = await Promise.all(
    Object.entries(files).map(async ([relativePath, file]) => [`${name}/${relativePath}`, (await file).bytes] as const),
  )
  writeTree(folder, Object.fromEntries(entries))
  return path.join(folder, name)
}

const countOf = async (person: Person, query: Record<string, string | number>): Promise<number> =>
  (await person.api('listAssets', { query: { limit: 1, ...query } })).data.count

/** Requests that carried bytes of files, as `METHOD path`. */
function watchBodies(page: Page): string[] {
  const sent: string[] = []
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    const isUpload = /\/api\/v4\/uploads\/([0-9a-f-]{36}\/)?$/.test(pathname) || pathname.endsWith('/dam/assets/')
    if (isUpload && ['POST', 'PATCH'].includes(request.method())) sent.push(`${request.method()} ${pathname}`)
  })
  return sent
}

test('a dropped folder becomes collections, and its pictures appear by themselves without anything jumping', async ({
  page,
  people,
  product,
}) => {
  const files: Record<string, Promise<TestFile> | TestFile> = {
    'title.jpg': picture('title.jpg', { width: 1200, height: 500, hue: 5 }),
    'spring/one.jpg': picture('one.jpg', { width: 600, height: 900, hue: 100 }),
    'spring/two.jpg': picture('two.jpg', { width: 900, height: 600, hue: 130 }),
    'spring/late/three.png': picture('three.png', { width: 500, height: 500, hue: 160, format: 'png' }),
    'autumn/four.webp': picture('four.webp', { width: 700, height: 450, hue: 30, format: 'webp' }),
    'autumn/notes/plan.pdf': pdf('plan.pdf', 'Plan of the year'),
    'autumn/notes/call.wav': sound('call.wav'),
    'autumn/notes/.hidden.txt': text('.hidden.txt', 'A hidden note'),
  }
  const dropped = await tree('Year', files)
  await open(page, '/dam/gallery')
  await expect(page.getByRole('heading', { name: 'Drop your files here' })).toBeVisible()
  const goOn = product.halt('dam: worker')
  await dropFromDisk(page, [dropped])
  const { tray, total, line } = uploads(page)
  await expect(tray).toBeVisible()
  await expect(total).toHaveAttribute('aria-valuenow', /\d+/)
  await expect(line('two.jpg')).toContainText('spring')

  const { grid, card, labels } = gallery(page)
  await expect(tray.getByRole('heading')).toContainText(`${Object.keys(files).length} files uploaded`, {
    timeout: 30_000,
  })
  await expect
    .poll(async () => (await labels()).toSorted(), { timeout: 30_000 })
    .toEqual(['.hidden', 'call', 'four', 'one', 'plan', 'three', 'title', 'two'])
  await expect(card('two')).toHaveAccessibleName(/processing/)
  await page.waitForTimeout(400)
  await forgetLayoutShift(page)
  goOn()
  await untilIngested(people.editor)
  await expect
    .poll(
      () =>
        grid
          .locator('img')
          .evaluateAll((images) => images.filter((image) => (image as HTMLImageElement).naturalWidth > 0).length),
      { timeout: 30_000 },
    )
    .toBeGreaterThanOrEqual(6)
  await expect(card('call')).toBeVisible()
  await page.waitForTimeout(400)
  const { sum, sources } = await layoutShift(page)
  expect(sum, sources.join('\n')).toBeLessThan(0.02)

  const collections = (await people.editor.api('listCollections', {})).data.results
  expect(collections.map((each) => `${each.path} ${each.asset_count}`).toSorted()).toEqual([
    'Year 1',
    'Year/autumn 1',
    'Year/autumn/notes 3',
    'Year/spring 2',
    'Year/spring/late 1',
  ])
  await page.getByRole('navigation').getByRole('link', { name: /^Year/ }).click()
  await expect.poll(async () => (await labels()).length, 'a collection shows what is below it too').toBe(8)
})

test('what is there already is recognised before any of its bytes travel', async ({ page, people }) => {
  const dropped = await tree('Again', {
    'same.jpg': picture('same.jpg', { width: 640, height: 480, hue: 222 }),
    'new.jpg': picture('new.jpg', { width: 640, height: 480, hue: 226 }),
  })
  await open(page, '/dam/gallery')
  const { tray, line } = uploads(page)
  await dropFromDisk(page, [path.join(dropped, 'same.jpg')])
  await expect(tray.getByRole('heading')).toContainText('1 file uploaded')
  const before = await countOf(people.editor, {})

  const sent = watchBodies(page)
  await dropFromDisk(page, [path.join(dropped, 'same.jpg')])
  await expect(tray.getByText(/Already in the library as “same”/)).toBeVisible()
  expect(sent).toEqual([])
  await dropFromDisk(page, [path.join(dropped, 'new.jpg'), path.join(dropped, 'same.jpg')])
  await expect(line('new.jpg')).toHaveAttribute('data-state', 'done')
  expect(new Set(sent.map((request) => request.split(' ')[0])).size, 'only the new one travels').toBeLessThanOrEqual(2)
  await expect.poll(() => countOf(people.editor, {})).toBe(before + 1)
})

test('files picked one by one arrive in the collection that is open', async ({ page, people }) => {
  const collection = (await people.editor.api('createCollection', { body: { name: 'Picked', parent: null } })).data
  const dropped = await tree('Pick', {
    'first.jpg': picture('first.jpg', { width: 480, height: 480, hue: 77 }),
    'second.jpg': picture('second.jpg', { width: 480, height: 481, hue: 78 }),
  })
  await open(page, `/collections/${collection.id}`)
  await expect(page.getByRole('heading', { name: 'This collection is empty' })).toBeVisible()
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Upload', exact: true }).click(),
  ])
  await chooser.setFiles([path.join(dropped, 'first.jpg'), path.join(dropped, 'second.jpg')])
  await expect
    .poll(
      async () =>
        (await people.editor.api('listCollectionAssets', { params: { id: collection.id }, query: {} })).data.count,
    )
    .toBe(2)
  await expect(gallery(page).card('second')).toBeVisible()
})

test('an upload is paused, resumed and cancelled, one and all, and what failed is tried again together', async ({
  page,
  people,
}) => {
  const dropped = await tree(
    'Slow',
    Object.fromEntries([1, 2, 3].map((n) => [`slow-${n}.png`, heavyPicture(`slow-${n}.png`, 3_000_000, n)])),
  )
  await open(page, '/dam/gallery')
  await limitUploadSpeed(page, 600_000)
  await dropFromDisk(page, [dropped])
  const { tray, line, total } = uploads(page)
  await expect(line('slow-1.png')).toHaveAttribute('data-state', 'uploading', { timeout: 30_000 })
  await tray.getByRole('button', { name: 'Pause slow-1.png' }).click()
  await expect(line('slow-1.png')).toHaveAttribute('data-state', 'paused')
  await tray.getByRole('button', { name: 'Pause all' }).click()
  await expect(tray.getByRole('heading')).toContainText('3 uploads paused')
  const held = Number(await total.getAttribute('aria-valuenow'))
  await page.waitForTimeout(1_200)
  expect(Number(await total.getAttribute('aria-valuenow')), 'nothing moves while paused').toBe(held)
  await tray.getByRole('button', { name: 'Cancel slow-3.png' }).click()
  await expect(line('slow-3.png')).toHaveCount(0)
  await limitUploadSpeed(page, 0)
  await tray.getByRole('button', { name: 'Resume all' }).click()
  await expect(tray.getByRole('heading')).toContainText('2 files uploaded', { timeout: 30_000 })
  expect(await countOf(people.editor, { search: 'slow' })).toBe(2)
  await expect
    .poll(
      async () => (await people.editor.api('listUploads', {})).data.count,
      'nothing of the cancelled one stays on the server',
    )
    .toBe(0)
  await tray.getByRole('button', { name: 'Close' }).click()
  await expect(tray).toBeHidden()

  // Refused by something between browser and server, then no more; and one that DAM itself refuses.
  const others = await tree('Failing', {
    'fail-1.jpg': picture('fail-1.jpg', { width: 333, height: 222, hue: 1 }),
    'fail-2.jpg': picture('fail-2.jpg', { width: 333, height: 223, hue: 2 }),
    'empty.jpg': text('empty.jpg', ''),
  })
  await page.route('**/api/v4/uploads/', (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({ status: 403, contentType: 'text/plain', body: 'no' })
      : route.continue(),
  )
  await dropFromDisk(page, [others])
  await expect(line('fail-2.jpg')).toHaveAttribute('data-state', 'failed', { timeout: 30_000 })
  await expect(line('fail-1.jpg')).toHaveAttribute('data-state', 'failed')
  await page.unroute('**/api/v4/uploads/')
  await tray.getByRole('button', { name: 'Retry all' }).click()
  await expect(line('fail-1.jpg')).toHaveAttribute('data-state', 'done')
  await expect(line('fail-2.jpg')).toHaveAttribute('data-state', 'done')
  await expect(line('empty.jpg')).toContainText(/empty|0 bytes|no bytes/i)
})

test('a reload in the middle of an upload goes on where it was', async ({ page, people }) => {
  const dropped = await tree('Reload', { 'reload.png': heavyPicture('reload.png', 6_000_000, 11) })
  await open(page, '/dam/gallery')
  await limitUploadSpeed(page, 1_000_000)
  await dropFromDisk(page, [dropped])
  const { tray, line, total } = uploads(page)
  await expect
    .poll(async () => Number(await total.getAttribute('aria-valuenow')), { timeout: 30_000 })
    .toBeGreaterThan(30)
  await page.reload()
  await limitUploadSpeed(page, 0)
  const offsets: number[] = []
  page.on('request', (request) => {
    if (request.method() === 'PATCH' && request.url().includes('/uploads/'))
      offsets.push(Number(request.headers()['upload-offset']))
  })
  await expect(tray).toBeVisible({ timeout: 20_000 })
  const goOn = tray.getByRole('button', { name: 'Continue' })
  await expect(
    goOn.or(line('reload.png').and(page.locator('[data-state="done"], [data-state="uploading"]'))).first(),
  ).toBeVisible()
  if (await goOn.isVisible()) await goOn.click()
  await page.waitForTimeout(1_000)
  // Where the browser did not keep the file at hand, the same file is dropped again.
  if ((await line('reload.png').getAttribute('data-state')) === 'interrupted') await dropFromDisk(page, [dropped])
  await expect(line('reload.png')).toHaveAttribute('data-state', 'done', { timeout: 30_000 })
  expect(offsets.length).toBeGreaterThan(0)
  expect(Math.min(...offsets), 'what the server has is not sent again').toBeGreaterThan(1_000_000)
  expect(await countOf(people.editor, { search: 'reload' })).toBe(1)
})

test('kill -9 of the server in the middle of an upload costs a moment, not the upload', async ({
  page,
  product,
  people,
}) => {
  const dropped = await tree(
    'Killed',
    Object.fromEntries([1, 2].map((n) => [`killed-${n}.png`, heavyPicture(`killed-${n}.png`, 5_000_000, 20 + n)])),
  )
  await open(page, '/dam/gallery')
  await limitUploadSpeed(page, 1_500_000)
  await dropFromDisk(page, [dropped])
  const { tray, total } = uploads(page)
  await expect
    .poll(async () => Number(await total.getAttribute('aria-valuenow')), { timeout: 30_000 })
    .toBeGreaterThan(25)
  product.kill('dam: web')
  await product.ready()
  await limitUploadSpeed(page, 0)
  await expect(tray.getByRole('heading')).toContainText('2 files uploaded', { timeout: 60_000 })
  await untilIngested(people.editor)
  expect(await countOf(people.editor, { search: 'killed', status: 'ready' })).toBe(2)
  await expect(gallery(page).card('killed-2'), 'the page follows the server again').toBeVisible()
})

test('every file of a dropped folder arrives, whatever it is called', async ({ page, people }) => {
  test.setTimeout(240_000)
  const difficult = [
    'CON.txt',
    'a<b>c:d?e*f|g.txt',
    ' spaces around .txt ',
    'dot at the end.txt.',
    'back\\slash.txt',
    'semi;colon & $(x) `y` \'q\' "dq".txt',
    '<img src=x onerror=alert(1)>.txt',
    'emoji 🦊 שלום.txt',
    'NUL',
  ]
  const made = await tree(
    'Names',
    Object.fromEntries(difficult.map((name) => [name, text(name, `A file called ${name}`)])),
  )
  const folders = ['gif', 'webp', 'svg', 'audio', 'names']
  const real = corpusFolder ? folders.map((name) => path.join(corpusFolder!, name)) : []
  const total = folders.flatMap((name) => corpusPaths(name)).length + difficult.length
  await open(page, '/dam/gallery')
  const before = await countOf(people.editor, {})
  await dropFromDisk(page, [...real, made])
  const { tray } = uploads(page)
  await expect(tray.getByRole('heading')).toContainText(/\d+ files uploaded/, { timeout: 90_000 })
  const said = (await tray.textContent()) ?? ''
  const known = Number(/(\d+) files? (?:is|are) already/.exec(said)?.[1] ?? 0)
  expect(said).not.toContain('could not be uploaded')
  expect((await countOf(people.editor, {})) - before + known).toBe(total)
  const stored = (await people.editor.api('listCollections', {})).data.results.find((each) => each.path === 'Names')
  expect(stored?.asset_count).toBe(difficult.length)
  await untilIngested(people.editor, 90_000)
})
