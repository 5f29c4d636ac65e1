import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseMigration, readMigrations } from '@dam/platform/migrate'
import { dangerousStatements } from './dangerous-statements.ts'

const rulesOf = (up: string, header = ''): string[] =>
  dangerousStatements(
    parseMigration(
      '0007-some.sql',
      `-- previous-release-runs: yes (a test)\n${header}-- up\n${up}\n-- down\nselect 1;\n`,
    ),
  ).map(({ rule }) => rule)

test.each([
  ['alter table asset add column mood text not null;', ['not-null-without-default']],
  [`alter table asset add column mood text not null default '';`, []],
  ['alter table asset add column mood text;', []],
  ['alter table asset add column a int, add column b int not null;', ['not-null-without-default']],
  ['alter table asset alter column label set not null;', ['set-not-null']],
  ['alter table asset alter column label type varchar(10);', ['type-change']],
  ['create index asset_mood on asset (mood);', ['index-not-concurrently']],
  ['create index concurrently asset_mood on asset (mood);', []],
  ['create table mood (id int); create index mood_id on mood (id);', []],
  ['alter table asset add constraint mood_short check (length(label) < 9);', ['constraint-not-valid-first']],
  ['alter table asset add constraint mood_short check (length(label) < 9) not valid;', []],
  ['alter table asset rename column label to title;', ['takes-away-in-expand']],
  ['drop table tag;', ['takes-away-in-expand']],
  ['set lock_timeout = 0; alter table asset add column mood text;', ['lock-timeout-switched-off']],
])('%s → %j', (up, rules) => {
  expect(rulesOf(up)).toEqual(rules)
})

test('what takes away is no danger in a step that says so', () => {
  expect(rulesOf('drop table tag;', '-- kind: contract\n')).toEqual([])
})

test('a danger is accepted with a reason, not without', () => {
  const index = 'create index asset_mood on asset (mood);'
  expect(rulesOf(`-- allow index-not-concurrently: the table has forty rows\n${index}`)).toEqual([])
  expect(rulesOf(`-- allow index-not-concurrently: fine\n${index}`)).toEqual(['index-not-concurrently'])
  expect(rulesOf(`-- allow type-change: the table has forty rows\n${index}`)).toEqual(['index-not-concurrently'])
})

test('the first migration of DAM makes everything it touches', () => {
  const [first] = readMigrations(fileURLToPath(new URL('../../../backend/migrations', import.meta.url)))
  expect(first && dangerousStatements(first)).toEqual([])
})
