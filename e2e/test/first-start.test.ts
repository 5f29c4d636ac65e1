import { expect, test } from '../src/test.ts'

test.use({ library: 'first start', firstStart: 'link' })

test('the link of the very first start creates the administrator, signs in, and works once', async ({
  page,
  product,
  openAs,
}) => {
  expect(product.setupLink, product.output()).not.toBeNull()
  const link = product.setupLink!

  await page.goto('/')
  await expect(page.getByLabel('Set-up code'), 'whoever comes without the link is told where it is').toBeVisible()
  await expect(page.getByText(/link that DAM printed/)).toBeVisible()

  await page.goto(link)
  await expect(page.getByLabel('Set-up code')).toHaveCount(0)
  await page.getByLabel('User name').fill('olga')
  const password = page.getByLabel('Password', { exact: true })
  await password.pressSequentially('short')
  await page.getByRole('button', { name: 'Create and sign in' }).click()
  expect(await password.evaluate((input) => (input as HTMLInputElement).validity.tooShort)).toBe(true)
  await password.fill('olga keeps the pictures')
  await page.getByRole('button', { name: 'Create and sign in' }).click()
  await expect(page.getByRole('button', { name: 'Account of olga' })).toBeVisible()
  await expect(page, 'the token does not stay in the address').not.toHaveURL(/token=/)
  await expect(
    page.getByRole('heading', { name: 'Drop your files here' }),
    'an empty library says what to do first',
  ).toBeVisible()

  const other = await openAs(null)
  await other.goto(link)
  const again = await other.request.post('/api/v4/auth/setup/', {
    headers: { 'sec-fetch-site': 'same-origin' },
    data: { token: new URL(link).searchParams.get('token'), username: 'mallory', password: 'mallory wants in too' },
  })
  expect([403, 409]).toContain(again.status())
  expect(await (await other.request.get('/api/v4/auth/session/')).json()).toMatchObject({
    user: null,
    setup_required: false,
  })
  await other.goto('/')
  await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible()
})
