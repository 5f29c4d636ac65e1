import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parsePolicy } from '@dam/ops/src/policy/read-policy.ts'
import { readRunbook, runbookText } from '@dam/ops/src/runbook/runbook.ts'
import { commands, isCommandName } from './commands.ts'
import { runbookLines } from './testing/runbook-lines.ts'
import { root } from './config.ts'

const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8')
const shipped = read('ops/policy.yaml')
const runbookOf = (policy: string) =>
  readRunbook({ policy: parsePolicy(policy, 'policy.yaml').policy, channelState: () => 'not set up here' })
const chapters = runbookOf(shipped)
const entries = chapters.flatMap(({ title, sections }) =>
  sections.flatMap((section) => section.entries.map((entry) => ({ ...entry, chapter: title, section: section.title }))),
)

test('every heading, command and number of the runbook has its place in the rendered one', () => {
  const missing = runbookLines.filter(({ chapter, words }) => {
    const text = entries
      .filter((entry) => entry.chapter === chapter)
      .map((entry) => [entry.section, entry.text, entry.note, entry.instead, entry.command, entry.url].join('\n'))
      .join('\n')
      .toLowerCase()
    return !words.every((word) => text.includes(word.toLowerCase()))
  })
  expect(missing).toEqual([])
  expect(new Set(runbookLines.map(({ chapter }) => chapter))).toEqual(new Set(chapters.map(({ title }) => title)))
})

test('every command it names exists, with the word that follows it', async () => {
  const named = entries.flatMap(({ command }) => (command?.startsWith('./dam ') ? [command] : []))
  expect(named.length).toBeGreaterThan(40)
  const unknown: string[] = []
  for (const line of new Set(named)) {
    const [, name = '', word = ''] = line.split(' ')
    if (!isCommandName(name)) {
      unknown.push(line)
      continue
    }
    const { help } = await commands[name].load()
    if (/^[a-z]+$/.test(word) && !['staging', 'production'].includes(word) && !help.includes(word)) unknown.push(line)
  }
  expect(unknown).toEqual([])
})

test('every place of the console it leads to exists', () => {
  const routes = new Set(
    [...read('frontend/src/console/routes.ts').matchAll(/pattern: '([^']+)'/g)].map(([, path]) => path),
  )
  expect(routes.size).toBeGreaterThan(15)
  expect(entries.flatMap(({ page }) => (page !== undefined && !routes.has(page) ? [page] : []))).toEqual([])
})

test('another policy makes another runbook: its numbers are read, not written', () => {
  const changed = shipped
    .replace('rollbackWithin: 15m', 'rollbackWithin: 25m')
    .replace('response-time-p95: { below: 500ms', 'response-time-p95: { below: 700ms')
    .replace('people: []', 'people: [{ id: anna, name: Anna Ito, phone: "+81 3", email: anna@dam.local }]')
    .replace('rotation: []', 'rotation: [anna]')
  const text = runbookText(runbookOf(changed))
  expect(text).toContain('Under 25 min')
  expect(text).toContain('below 700 ms')
  expect(text).toContain('Anna Ito – +81 3 – anna@dam.local')
})
