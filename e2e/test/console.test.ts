import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { buildOnce } from '../src/build-once.ts'
import { root, scratch } from '../src/config.ts'
import { freePort } from '../src/free-port.ts'

/** The ops process on a host whose store was filled by the product's own code; the application itself does not run. */
test.describe.configure({ mode: 'serial' })

const password = 'correct horse battery staple'
let folder: string
let ops: ChildProcess
let address: string
let production: Server

test.beforeAll(async () => {
  mkdirSync(scratch, { recursive: true })
  folder = mkdtempSync(path.join(scratch, 'host-'))
  production = createServer((_, response) => response.end('{"status":"healthy","version":"1.1.0"}'))
  await new Promise<void>((resolve) => production.listen(0, '127.0.0.1', resolve))
  buildOnce()
  const productionUrl = `http://127.0.0.1:${(production.address() as AddressInfo).port}`
  const seeded = spawnSync(process.execPath, ['ops/src/testing/seed-host.ts', folder, productionUrl], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(seeded.status, seeded.stderr).toBe(0)
  const port = await freePort()
  address = `http://localhost:${port}`
  ops = spawn(process.execPath, ['ops/src/main.ts'], {
    cwd: root,
    env: {
      ...process.env,
      DAM_HOST_DIR: folder,
      DAM_POLICY: path.join(folder, 'policy.yaml'),
      OPS_PORT: String(port),
      DAM_LOG_STDOUT: 'no',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  while (!(await fetch(`${address}/livez`).catch(() => null))?.ok) {
    expect(ops.exitCode, 'the ops process ended').toBeNull()
    await sleep(100)
  }
})

test.afterAll(async () => {
  ops.kill('SIGTERM')
  await new Promise((resolve) => ops.once('exit', resolve))
  production.close()
  rmSync(folder, { recursive: true, force: true })
})

async function signIn(page: Page, username: string): Promise<void> {
  await page.goto(address)
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
}

test('a wrong password is refused in words, the right one leads to the overview', async ({ page }) => {
  await page.goto(`${address}/releases`)
  await page.getByLabel('User name').fill('operator')
  await page.getByLabel('Password').fill('not this one')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toHaveText('The user name or the password is not right.')
  await signIn(page, 'operator')
  await expect(page.getByRole('region', { name: 'production' })).toContainText('Something is wrong')
  await expect(page.getByRole('region', { name: 'production' })).toContainText('Healthy')
  await expect(page.getByRole('link', { name: /On call: (Nina|Omar)/ })).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
})

test('the ledger leads from a release to its deployment and the evidence of the judge', async ({ page }) => {
  await signIn(page, 'viewer')
  await page.getByRole('link', { name: 'Releases' }).click()
  await expect(page.getByRole('link', { name: /v1\.2\.0.*Quarantined/ })).toBeVisible()
  await page.getByRole('link', { name: /v1\.2\.0.*Quarantined/ }).click()
  await expect(page.getByText('previous release runs on it')).toBeVisible()
  await page.getByRole('link', { name: /v1\.2\.0 to production/ }).click()
  await expect(page.getByRole('heading', { name: 'What the judge sees' })).toBeVisible()
  await expect(page.locator('canvas').first()).toBeVisible()
  await expect(page.getByText('Traffic restored')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Roll back…' })).toHaveCount(0)
})

test('rolling back asks for a reason and the name of the environment, by keyboard alone', async ({ page }) => {
  await signIn(page, 'operator')
  await page.goto(`${address}/deployments/3`)
  const open = page.getByRole('button', { name: 'Roll back…' })
  await open.focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Roll back staging' })
  await expect(dialog).toBeVisible()
  await expect(dialog.getByRole('button', { name: 'Roll back', exact: true })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await expect(open).toBeFocused()
})

test('an incident is acknowledged and resolved; the audit has both', async ({ page }) => {
  await signIn(page, 'administrator')
  await page.goto(`${address}/incidents/1`)
  await expect(page.getByText('TypeError in search')).toBeVisible()
  await page.getByLabel('Note').fill('v1.1.0 serves again')
  await page.getByRole('button', { name: 'Resolve' }).click()
  await expect(page.getByText('Resolved', { exact: true })).toBeVisible()
  await page.getByRole('link', { name: 'Audit' }).click()
  await expect(page.getByText('incident.resolved')).toBeVisible()
})

test('whoever is on call may act until the hand-off although the own role only looks, and it is on record', async ({
  page,
}) => {
  await signIn(page, 'nina')
  await expect(page.getByText('Until then you may do what an operator may')).toBeVisible()
  await page.getByRole('link', { name: 'Alerts' }).click()
  await page.getByRole('button', { name: 'Silence Disk usage above 85 %' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Silence “Disk usage above 85 %”' })
  await dialog.getByLabel('Reason').fill('the disk is being enlarged')
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click()
  await expect(dialog).toHaveCount(0)
  await expect(page.getByText('nina: the disk is being enlarged')).toBeVisible()
  await page.getByRole('link', { name: 'Audit' }).click()
  await expect(page.getByText('shift.rights')).toBeVisible()
  await expect(page.getByText('alert.silenced')).toBeVisible()
})

test('signals are plots with limits and the deployments in them, and tables for those who do not see plots', async ({
  page,
}) => {
  await signIn(page, 'viewer')
  await page.goto(`${address}/signals?environment=production&range=7d`)
  await expect(page.getByRole('img', { name: /^Error rate: now / })).toBeVisible()
  await expect(page.getByText('▼ v1.2.0 was taken back')).toBeVisible()
  await page.getByText('As a table').first().click()
  await expect(page.getByRole('table').first().getByRole('row')).not.toHaveCount(0)
  await page.getByLabel('Time', { exact: true }).selectOption('1h')
  await expect(page).toHaveURL(/range=1h/)
})

test('what an operator tells the public is on the status page, which needs no script and no sign-in', async ({
  page,
  browser,
}) => {
  await signIn(page, 'operator')
  await page.goto(`${address}/incidents/1`)
  await page.getByRole('button', { name: 'Tell the public…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Tell the public' })
  await dialog.getByLabel('Text').fill('All searches work <again>.')
  await dialog.getByRole('button', { name: 'Publish' }).click()
  await expect(dialog).toHaveCount(0)
  const reader = await browser.newContext({ javaScriptEnabled: false })
  const status = await reader.newPage()
  await expect(async () => {
    await status.goto(`${address}/status`)
    await expect(status.getByText('All searches work <again>.')).toBeVisible({ timeout: 1_000 })
  }).toPass()
  await status.getByLabel('E-mail address').fill('reader@example.com')
  await status.getByRole('button', { name: 'Subscribe' }).click()
  await expect(status.getByRole('status')).toContainText('a message is on its way')
  await reader.close()
})

const places = [
  '/',
  '/signals?environment=production&range=24h',
  '/alerts',
  '/oncall',
  '/diagnosis',
  '/runbook',
  '/status',
  '/incidents',
  '/incidents/1',
  '/releases',
  '/deployments',
  '/deployments/2',
  '/deployments/3',
  '/verification?environment=production',
  '/maintenance',
  '/account',
  '/backups',
  '/drills',
  '/audit',
  '/operators',
]
const forms = [
  { name: 'desktop, light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'desktop, dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: '320 px, light', viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  { name: '320 px, dark', viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
] as const
const standard = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

for (const form of forms) {
  test(`every page is accessible: ${form.name}`, async ({ page }) => {
    await page.setViewportSize(form.viewport)
    await page.emulateMedia({ colorScheme: form.colorScheme })
    await signIn(page, 'administrator')
    for (const place of places) {
      await page.goto(address + place)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await expect(page.getByText('Loading', { exact: true })).toHaveCount(0)
      await page.waitForTimeout(350)
      const { violations } = await new AxeBuilder({ page }).withTags(standard).analyze()
      const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} at ${node.target.join(' ')}`))
      expect.soft(found, place).toEqual([])
      const sideways = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      expect.soft(sideways, `${place} scrolls sideways`).toBeLessThanOrEqual(0)
    }
  })
}
