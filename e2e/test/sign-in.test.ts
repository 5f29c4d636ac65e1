import { credentialsOf, expect, test } from '../src/test.ts'

test.use({ library: 'people' })

test('a wrong password is refused in words, the right one leads to where one wanted to go, and signing out ends it', async ({
  page,
  people,
}) => {
  const { username, password } = people.editor
  await page.goto('/dam/gallery?type=video')
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toContainText('The user name or the password is not right.')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Password', { exact: true }).press('Enter')
  await expect(page.getByRole('button', { name: `Account of ${username}` })).toBeVisible()
  await expect(page).toHaveURL(/\/dam\/gallery\?type=video$/)

  await page.getByRole('button', { name: `Account of ${username}` }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await page.goto('/dam/gallery')
  await expect(
    page.getByRole('button', { name: 'Sign in' }),
    'nothing of the library is left on the page',
  ).toBeVisible()
  expect((await page.request.get('/api/v4/dam/assets/')).status()).toBe(401)
})

test('a session that ends elsewhere leads to the sign-in page and back', async ({ page, product, people }) => {
  const { username, password } = credentialsOf('viewer')
  await page.goto('/sign-in')
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: `Account of ${username}` })).toBeVisible()
  const { data } = await people.viewer.api('listTokens', {})
  for (const session of data.results.filter((each) => each.kind === 'browser'))
    await people.viewer.api('revokeToken', { params: { id: session.id } })
  await page.goto(`${product.address}/settings`)
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page).toHaveURL(/\/settings$/)
})

test.describe('an administrator', () => {
  test.use({ signedInAs: 'administrator' })

  test('adds a person, who signs in, and takes the right to change things away', async ({ page, openAs }) => {
    await page.goto('/admin/users')
    await page.getByRole('button', { name: /add/i }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('User name').fill('paula')
    await dialog
      .getByLabel(/password/i)
      .first()
      .fill('paula paints pictures')
    await dialog
      .getByLabel(/editor/i)
      .first()
      .check()
    await dialog.getByRole('button', { name: /add|create/i }).click()
    await expect(page.getByText('paula').first()).toBeVisible()

    const other = await openAs(null)
    await other.goto('/')
    await other.getByLabel('User name').fill('paula')
    await other.getByLabel('Password', { exact: true }).fill('paula paints pictures')
    await other.getByRole('button', { name: 'Sign in' }).click()
    await expect(other.getByRole('button', { name: 'Upload', exact: true })).toBeVisible()
  })

  test('sees on the health page what the machine has and what it lacks, with the command that installs it', async ({
    page,
  }) => {
    await page.goto('/admin/health')
    await expect(page.getByRole('heading', { name: 'Health' })).toBeVisible()
    await expect(page.getByText(/Everything works|Works, with limits/).first()).toBeVisible()
    await expect(page.getByText(/ffmpeg/i).first()).toBeVisible()
    await expect(page.getByText(/PostgreSQL \d+/).first()).toBeVisible()
    const missing = page.getByRole('listitem').filter({ hasText: 'missing' })
    for (const tool of await missing.all())
      await expect(tool.locator('code'), 'what is missing comes with its command').not.toBeEmpty()
  })
})
