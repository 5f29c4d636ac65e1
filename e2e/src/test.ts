import { test as base, expect, type BrowserContext, type Page } from '@playwright/test'
import type { User } from '@dam/contract'
import { ApiError, createClient, type Client } from '@dam/contract/client'
import { firstPort } from './config.ts'
import type { TestFile } from './files.ts'
import { administrator, startProduct, type Product } from './product.ts'

export { expect, type Page }

export type Role = User['role']
export type Person = {
  id: number
  username: string
  password: string
  token: string
  api: Client
  cookie: { name: string; value: string }
}
export type People = Record<Role, Person>

/** What a page did that it must never do; read at the end of each test. */
type Watch = { requests: string[]; complaints: string[] }

type WorkerOptions = {
  /** Name of the data the test file works on: files with the same name share a product, others get an empty one. */
  library: string
  firstStart: 'configured' | 'link'
}
type WorkerFixtures = {
  product: Product
  people: People
}
type TestOptions = {
  signedInAs: Role | null
}
type TestFixtures = {
  watched: Watch
  /** A window of another person, or of the same one in another browser. */
  openAs: (role: Role | null, options?: { viewport?: { width: number; height: number } }) => Promise<Page>
}

export const test = base.extend<TestOptions & TestFixtures, WorkerOptions & WorkerFixtures>({
  library: ['shared', { scope: 'worker', option: true }],
  firstStart: ['configured', { scope: 'worker', option: true }],
  product: [
    async ({ firstStart }, use, { parallelIndex }) => {
      await using product = await startProduct({ port: firstPort + 40 * parallelIndex, firstStart })
      if (firstStart === 'configured') peopleOf.set(product, await makePeople(product.address))
      await use(product)
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  people: [
    async ({ product }, use) => {
      const people = peopleOf.get(product)
      if (!people) throw new Error('This product has no accounts yet: the journey creates them.')
      await use(people)
    },
    { scope: 'worker' },
  ],

  signedInAs: [null, { option: true }],
  baseURL: async ({ product }, use) => use(product.address),
  storageState: async ({ product, signedInAs }, use) => {
    if (signedInAs === null) return use({ cookies: [], origins: [] })
    const person = await signInByApi(product.address, signedInAs)
    await use(cookieState(person))
  },
  watched: [
    async ({ context, product }, use) => {
      const watch: Watch = { requests: [], complaints: [] }
      await watchContext(context, watch)
      await use(watch)
      for (const page of context.pages()) await recordTraces(page, watch)
      expect
        .soft(
          watch.requests.filter((url) => !url.startsWith(`${product.address}/`)),
          'requests to other hosts',
        )
        .toEqual([])
      expect.soft(watch.complaints, 'script errors, policy violations, dialogs, executed payloads').toEqual([])
    },
    { auto: true },
  ],
  openAs: async ({ browser, product, watched }, use) => {
    const contexts: BrowserContext[] = []
    await use(async (role, options = {}) => {
      const storageState =
        role === null ? { cookies: [], origins: [] } : cookieState(await signInByApi(product.address, role))
      const context = await browser.newContext({ baseURL: product.address, storageState, ...options })
      contexts.push(context)
      await watchContext(context, watched)
      return context.newPage()
    })
    for (const context of contexts) {
      for (const page of context.pages()) await recordTraces(page, watched)
      await context.close()
    }
  },
})

const peopleOf = new WeakMap<Product, People>()

const passwords: Record<Role, { username: string; password: string }> = {
  administrator,
  editor: { username: 'edith', password: 'edith edits everything' },
  viewer: { username: 'victor', password: 'victor views everything' },
}

export const credentialsOf = (role: Role): { username: string; password: string } => passwords[role]

async function makePeople(address: string): Promise<People> {
  const first = await personOf(address, 'administrator')
  for (const role of ['editor', 'viewer'] as const) {
    await first
      .api('createUser', { body: { ...passwords[role], role, display_name: '', email: null } })
      .catch((error: unknown) => {
        if (!(error instanceof ApiError && error.code === 'already-exists')) throw error
      })
  }
  return { administrator: first, editor: await personOf(address, 'editor'), viewer: await personOf(address, 'viewer') }
}

async function personOf(address: string, role: Role): Promise<Person> {
  const { data } = await createClient({ baseUrl: address })('obtainToken', { body: passwords[role] })
  const api = createClient({ baseUrl: address, headers: { Authorization: `Token ${data.token}` } })
  const user = (await api('getCurrentUser', {})).data
  return { id: user.id, ...passwords[role], token: data.token, api, cookie: await signInByApi(address, role) }
}

const sessions = new Map<string, Promise<Person['cookie']>>()

/** One browser session for each person and product: sign-in itself has a journey of its own. */
async function signInByApi(address: string, role: Role): Promise<Person['cookie']> {
  const key = `${address} ${role}`
  const known = sessions.get(key) ?? requestSession(address, role)
  sessions.set(key, known)
  return known
}

async function requestSession(address: string, role: Role): Promise<Person['cookie']> {
  const answer = await fetch(`${address}/api/v4/auth/login/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(passwords[role]),
  })
  if (!answer.ok) throw new Error(`Sign-in as ${role} was answered ${answer.status}: ${await answer.text()}`)
  const match = /^([^=]+)=([^;]+)/.exec(answer.headers.getSetCookie()[0] ?? '')
  if (!match) throw new Error('Sign-in set no cookie.')
  return { name: match[1]!, value: match[2]! }
}

const cookieState = (cookie: Person['cookie']) => ({
  cookies: [
    { ...cookie, domain: 'localhost', path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' as const },
  ],
  origins: [],
})

async function watchContext(context: BrowserContext, watch: Watch): Promise<void> {
  context.on('request', (request) => {
    if (/^https?:/.test(request.url())) watch.requests.push(request.url())
  })
  context.on('weberror', (error) => watch.complaints.push(`uncaught: ${error.error().stack ?? error.error().message}`))
  context.on('dialog', (dialog) => {
    // The product asks in its own words; a native question only ever guards a page that is being left.
    if (dialog.type() !== 'beforeunload') watch.complaints.push(`${dialog.type()}: ${dialog.message()}`)
    void dialog.accept()
  })
  context.on('console', (message) => {
    const said = message.text()
    // The browser itself reports answers that are not 2xx and servers that are away; both are part of journeys.
    if (message.type() === 'error' && !said.startsWith('Failed to load resource'))
      watch.complaints.push(`console: ${said}`)
  })
  await context.addInitScript(() => {
    const record = window as unknown as { __violations: string[]; __layoutShift: number; __shifts: string[] }
    record.__violations = []
    record.__layoutShift = 0
    record.__shifts = []
    document.addEventListener('securitypolicyviolation', (event) => {
      record.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`)
    })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number
        hadRecentInput: boolean
        sources: { node?: Node }[]
      })[]) {
        if (entry.hadRecentInput) continue
        record.__layoutShift += entry.value
        record.__shifts.push(
          `${entry.value.toFixed(4)} ${entry.sources.map(({ node }) => (node instanceof Element ? `${node.tagName}.${node.className}` : String(node?.nodeName))).join(' ')}`,
        )
      }
    }).observe({ type: 'layout-shift', buffered: true })
  })
}

async function recordTraces(page: Page, watch: Watch): Promise<void> {
  if (page.isClosed()) return
  const traces = await page
    .evaluate(() => {
      const record = window as unknown as { __violations?: string[]; __pwned?: unknown }
      return { violations: record.__violations ?? [], pwned: record.__pwned }
    })
    .catch(() => ({ violations: [], pwned: undefined }))
  watch.complaints.push(...traces.violations.map((violation) => `policy violation: ${violation}`))
  if (traces.pwned !== undefined) watch.complaints.push(`a payload ran: ${String(traces.pwned)}`)
}

/** Begins to measure layout shifts anew. */
export async function forgetLayoutShift(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(window, { __layoutShift: 0, __shifts: [] }))
}

/** Sum of unexpected layout shifts of the page since it was loaded, and what moved. */
export async function layoutShift(page: Page): Promise<{ sum: number; sources: string[] }> {
  return page.evaluate(() => {
    const record = window as unknown as { __layoutShift: number; __shifts: string[] }
    return { sum: record.__layoutShift, sources: record.__shifts }
  })
}

/** Uploads without a browser. Resolves to the assets' ids, in order. */
export async function upload(address: string, person: Person, files: TestFile[]): Promise<number[]> {
  const ids: number[] = []
  for (const file of files) {
    const form = new FormData()
    form.append('file', new File([Uint8Array.from(file.bytes)], file.name, { type: file.mimeType }))
    const answer = await fetch(`${address}/api/v4/dam/assets/`, {
      method: 'POST',
      headers: { authorization: `Token ${person.token}` },
      body: form,
    })
    if (answer.status !== 201)
      throw new Error(`Upload of ${file.name} was answered ${answer.status}: ${await answer.text()}`)
    ids.push(((await answer.json()) as { id: number }).id)
  }
  return ids
}

/** Waits until ingest has ended, well or not, for every asset. */
export async function untilIngested(person: Person, timeoutMs = 90_000): Promise<void> {
  await expect
    .poll(async () => (await person.api('listAssets', { query: { status: 'processing', limit: 1 } })).data.count, {
      timeout: timeoutMs,
      message: 'assets still in processing',
    })
    .toBe(0)
}
