import { expect, type Locator, type Page } from '@playwright/test'

/** The gallery as people see it. */
export const gallery = (page: Page) => {
  const grid = page.getByRole('grid', { name: 'Assets' })
  return {
    grid,
    /** The card or line of an asset, by the beginning of its label. */
    card: (label: string): Locator => grid.getByRole('link', { name: new RegExp(`^${escape(label)}`) }),
    cell: (label: string): Locator =>
      grid.getByRole('gridcell').filter({ has: page.getByRole('link', { name: new RegExp(`^${escape(label)}`) }) }),
    tick: (label: string): Locator => grid.getByRole('checkbox', { name: new RegExp(`^Select ${escape(label)}`) }),
    filter: (name: 'Type' | 'Date' | 'Tags' | 'Status'): Locator =>
      page.getByRole('group', { name: 'Filters' }).getByRole('button', { name: new RegExp(`^${name}`) }),
    order: page.getByRole('button', { name: /^Order/ }),
    selection: page.getByRole('toolbar', { name: 'Selected assets' }),
    /** Labels of what is shown, in order. */
    labels: async (): Promise<string[]> => {
      await expect(grid).toHaveAttribute('aria-busy', 'false')
      return grid
        .getByRole('link')
        .evaluateAll((links) =>
          links
            .filter((link) => link.hasAttribute('data-asset'))
            .map((link) => (link.getAttribute('aria-label') ?? '').split(', ')[0]!),
        )
    },
    selected: async (): Promise<string[]> =>
      grid
        .locator('[data-selected] a[data-asset]')
        .evaluateAll((links) => links.map((link) => (link.getAttribute('aria-label') ?? '').split(', ')[0]!)),
  }
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Opens a page of the application and waits until it listens to keys and drops. */
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address)
  await expect(page.getByRole('main')).toBeVisible()
}

/**
 * Drops files and folders of the disk on the middle of the page, as the desktop does it: the browser itself reads them.
 * `paths` are absolute.
 */
export async function dropFromDisk(page: Page, paths: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { width, height } = page.viewportSize()!
  const data = { items: [], files: paths, dragOperationsMask: 1 }
  const move = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    session.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2, data })
  await move('dragEnter')
  // A drop counts only where the page has taken the drag before, as with a hand that is slower than a program.
  await expect(page.getByText('Drop to upload')).toBeVisible()
  for (let step = 0; step < 3; step += 1) {
    await move('dragOver')
    await page.waitForTimeout(50)
  }
  await move('drop')
  await expect(page.getByText('Drop to upload')).toBeHidden()
  await session.detach()
}

/** Slows the page's network; 0 lets it run free. */
export async function limitUploadSpeed(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond || -1,
  })
}

/** The list of uploads at the edge of the page. */
export const uploads = (page: Page) => {
  const tray = page.getByRole('region', { name: 'Uploads' })
  return {
    tray,
    total: tray.getByRole('progressbar', { name: 'All uploads' }),
    line: (name: string): Locator =>
      tray
        .locator('[data-state]')
        .filter({ has: page.getByText(name, { exact: true }) })
        .last(),
  }
}
