import { type ChildProcess, spawn } from 'node:child_process'
import { expect, test, type Page } from '@playwright/test'
import { freePort } from '../src/free-port.ts'
import { buildOnce } from '../src/build-once.ts'
import { root } from '../src/config.ts'

/** What an operator does in earnest, on a host of miniature releases: back up, drill, deploy twice, roll back. */
test.describe.configure({ mode: 'serial' })

let host: ChildProcess
let address: string

test.beforeAll(async () => {
  buildOnce()
  host = spawn(process.execPath, ['ops/src/testing/miniature-host-main.ts', String(await freePort())], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  address = await new Promise<string>((resolve, reject) => {
    host.stdout?.on('data', (chunk: Buffer) => {
      const match = /^ready (\S+)/m.exec(chunk.toString())
      if (match?.[1]) resolve(match[1])
    })
    host.once('exit', (code) => reject(new Error(`the host ended: ${code}`)))
  })
})

test.afterAll(async () => {
  host.kill('SIGTERM')
  if (host.exitCode === null) await new Promise((resolve) => host.once('exit', resolve))
})

async function deploy(page: Page, tag: string): Promise<void> {
  await page.goto(`${address}/deploy?environment=staging&tag=${tag}`)
  await page.getByRole('button', { name: `Deploy ${tag} to staging` }).click()
  const dialog = page.getByRole('dialog', { name: `Deploy ${tag} to staging` })
  const submit = dialog.getByRole('button', { name: 'Deploy', exact: true })
  await expect(submit).toBeDisabled()
  await dialog.getByLabel('Type staging to confirm').fill('staging')
  await submit.click()
  // The console leads there by itself, and the judge is seen at work.
  await page.waitForURL(/\/deployments\/\d+$/)
  await expect(page.getByRole('heading', { name: 'What the judge sees' })).toBeVisible()
  await expect(page.locator('canvas').first()).toBeVisible()
  const keep = page.getByRole('button', { name: 'Keep the release' })
  const good = page.getByText('Good', { exact: true }).first()
  await expect(keep.or(good).first()).toBeVisible({ timeout: 60_000 })
  if (await keep.isVisible()) {
    // A busy machine answers too few requests in so short a bake.
    await page.getByLabel('Reason, for the record').fill('not what is tried here')
    await keep.click()
  }
  await expect(good).toBeVisible({ timeout: 60_000 })
}

test('an operator backs up, drills, deploys two releases and rolls the second one back', async ({ page }) => {
  await page.goto(address)
  await page.getByLabel('User name').fill('administrator')
  await page.getByLabel('Password').fill('correct horse battery staple')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('region', { name: 'staging' })).toContainText('Nothing runs here yet.')

  await page.goto(`${address}/backups?environment=staging`)
  await page.getByRole('button', { name: 'Back up staging now' }).click()
  await expect(page.getByRole('button', { name: /^Restore the backup of / })).toBeVisible()

  await page.goto(`${address}/drills?environment=staging`)
  await page.getByRole('button', { name: 'Drill staging now' }).click()
  await expect(page.getByText('Passed', { exact: true })).toBeVisible({ timeout: 60_000 })

  await deploy(page, 'v1.0.0')
  await deploy(page, 'v1.1.0')

  await page.getByRole('button', { name: 'Roll back…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Roll back staging' })
  await expect(dialog.getByText('this one is taken')).toBeVisible()
  await dialog.getByLabel('Reason, for the record').fill('tried from the console')
  await dialog.getByLabel('Type staging to confirm').fill('staging')
  await dialog.getByRole('button', { name: 'Roll back', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Rollback of staging to v1.0.0' })).toBeVisible()
  await expect(page.getByText('Rolled back and verified')).toBeVisible({ timeout: 60_000 })
  await page.goto(address)
  await expect(page.getByRole('region', { name: 'staging' })).toContainText('v1.0.0')
})
