import type { Migration } from '@dam/platform/migrate'
import { splitStatements, withoutComments } from '@dam/platform/migrate/statements'

export type Danger = { migration: string; rule: string; statement: string; explanation: string }

type Rule = {
  name: string
  explanation: string
  applies: (statement: string, context: { migration: Migration; created: ReadonlySet<string> }) => boolean
}

const identifier = String.raw`(?:only\s+)?(?:if\s+(?:not\s+)?exists\s+)?("?[\w.]+"?)`
const tableOf = (statement: string): string | undefined =>
  new RegExp(String.raw`^alter\s+table\s+${identifier}`, 'i').exec(statement)?.[1] ??
  new RegExp(String.raw`\bon\s+(?:only\s+)?("?[\w.]+"?)`, 'i').exec(statement)?.[1]

/** Only what touches a table that others use is dangerous; one made in the same migration is empty and unseen. */
const onOldTable = (statement: string, created: ReadonlySet<string>): boolean => {
  const table = tableOf(statement)
  return table !== undefined && !created.has(table.toLowerCase())
}

const rules: Rule[] = [
  {
    name: 'not-null-without-default',
    explanation:
      'The old release does not fill the column: its inserts fail. Add it with a default, or nullable first.',
    applies: (statement, { created }) =>
      /^alter\s+table/i.test(statement) &&
      onOldTable(statement, created) &&
      statement
        .split(/,(?![^(]*\))/)
        .some(
          (part) =>
            /\badd\s+(?:column\s+)?(?!constraint)/i.test(part) &&
            /\bnot\s+null\b/i.test(part) &&
            !/\b(?:default|generated)\b/i.test(part),
        ),
  },
  {
    name: 'set-not-null',
    explanation:
      'Reads the whole table under a lock that stops everybody. Add a check constraint not valid, validate it, then set it.',
    applies: (statement, { created }) => /\bset\s+not\s+null\b/i.test(statement) && onOldTable(statement, created),
  },
  {
    name: 'type-change',
    explanation:
      'Rewrites the table under a lock that stops everybody. Add a column of the new type, fill it in batches, switch.',
    applies: (statement, { created }) =>
      /\balter\s+(?:column\s+)?"?\w+"?\s+(?:set\s+data\s+)?type\b/i.test(statement) && onOldTable(statement, created),
  },
  {
    name: 'index-not-concurrently',
    explanation:
      'Stops every write while the index is built. Use create index concurrently in a migration with -- no-transaction.',
    applies: (statement, { created }) =>
      /^create\s+(?:unique\s+)?index\b(?!\s+concurrently)/i.test(statement) && onOldTable(statement, created),
  },
  {
    name: 'constraint-not-valid-first',
    explanation: 'Reads the whole table under a lock. Add it not valid, then validate it in a statement of its own.',
    applies: (statement, { created }) =>
      /\badd\s+constraint\b[\s\S]*\b(?:check|foreign\s+key)\b/i.test(statement) &&
      !/\bnot\s+valid\b/i.test(statement) &&
      onOldTable(statement, created),
  },
  {
    name: 'takes-away-in-expand',
    explanation:
      'The old release may still use it. Say -- kind: contract, and ship it when no release that uses it can come back.',
    applies: (statement, { migration, created }) =>
      migration.kind === 'expand' &&
      ((/^alter\s+table/i.test(statement) &&
        /\b(?:rename|drop\s+column)\b/i.test(statement) &&
        onOldTable(statement, created)) ||
        /^drop\s+(?:table|view|type|function|schema)\b/i.test(statement)),
  },
  {
    name: 'lock-timeout-switched-off',
    explanation: 'Without a lock timeout one long transaction makes everybody wait. The runner sets 2 s; leave it.',
    applies: (statement) => /\bset\s+(?:local\s+|session\s+)?(?:lock_timeout|statement_timeout)\b/i.test(statement),
  },
]

const suppression = /--\s*allow\s+([\w-]+):\s*(\S.{9,})/g

/**
 * What a migration does on its way up that hurts a database in use. A comment `-- allow <rule>: <reason of ten letters or more>` in or
 * before a statement accepts it there.
 */
export function dangerousStatements(migration: Migration): Danger[] {
  const created = new Set<string>()
  const dangers: Danger[] = []
  for (const text of splitStatements(migration.up)) {
    const allowed = new Set([...text.matchAll(suppression)].map((match) => match[1]))
    const statement = withoutComments(text).replaceAll(/\s+/g, ' ')
    for (const rule of rules) {
      if (allowed.has(rule.name) || !rule.applies(statement, { migration, created })) continue
      dangers.push({
        migration: `${String(migration.number).padStart(4, '0')}-${migration.name}`,
        rule: rule.name,
        statement: statement.slice(0, 120),
        explanation: rule.explanation,
      })
    }
    const table = new RegExp(String.raw`^create\s+(?:unlogged\s+)?table\s+${identifier}`, 'i').exec(statement)?.[1]
    if (table) created.add(table.toLowerCase())
  }
  return dangers
}
