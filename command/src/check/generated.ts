import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { settings } from '@dam/backend/src/config.ts'
import { opsSettings } from '@dam/ops/src/config.ts'
import { exampleInput, exporterNames, exporters } from '@dam/ops/src/exports/exporters.ts'
import { compareFiles } from '@dam/ops/src/engines/compare-files.ts'
import { engineNames, engines } from '@dam/ops/src/engines/engines.ts'
import { readPolicy, shippedPolicyFile } from '@dam/ops/src/policy/read-policy.ts'
import { dangerousStatements } from '@dam/ops/src/migrations/dangerous-statements.ts'
import { migrate } from '@dam/platform/migrate'
import { dumpSchema } from '@dam/platform/migrate/dump-schema'
import { root } from '../config.ts'
import { exportFacts, shippedNames } from '../export/export-facts.ts'
import { runProgram } from '../run-program.ts'
import { apps, migrationsOf } from '../schema.ts'
import { withScratchPostgres } from '../scratch-postgres.ts'
import { nodeProgram } from '../toolchain.ts'
import { type Check, type CheckResult, failed, passed } from './check.ts'

/** Files that are made from others must say what those say, and migrations must not hurt a database in use. */
export const generatedChecks: Check[] = [
  { name: 'schema.sql', run: checkSchema },
  { name: 'openapi.json', run: checkOpenapi },
  { name: '.env.example', run: checkSettings },
  { name: 'deploy', run: checkDeploy },
  { name: 'migrations', run: checkMigrations },
]

async function checkSchema({ write }: { write: boolean }): Promise<CheckResult> {
  const file = path.join(root, 'backend/migrations/schema.sql')
  const schema = await withScratchPostgres(async (connectionString) => {
    for (const app of apps) await migrate({ connectionString, app, migrations: migrationsOf(app) })
    return dumpSchema(connectionString)
  })
  if (write) writeFileSync(file, schema)
  if (readText(file) === schema) return passed
  return failed('backend/migrations/schema.sql is not what the migrations make. Run: ./dam check --write')
}

async function checkMigrations(): Promise<CheckResult> {
  const dangers = apps.flatMap((app) => migrationsOf(app).flatMap(dangerousStatements))
  if (dangers.length === 0) return passed
  const told = dangers.map(
    ({ migration, rule, statement, explanation }) => `${migration}: ${statement}\n  ${rule}: ${explanation}`,
  )
  return failed(`${told.join('\n')}\nOr accept it there, with the reason: -- allow <rule>: <reason>`)
}

async function checkOpenapi({ write }: { write: boolean }): Promise<CheckResult> {
  const { code, output } = await runProgram(nodeProgram, [
    'backend/src/write-openapi.ts',
    ...(write ? [] : ['--check']),
  ])
  return code === 0 ? passed : failed(output)
}

async function checkSettings(): Promise<CheckResult> {
  const described = [...(readText(path.join(root, '.env.example')) ?? '').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(
    (match) => match[1],
  )
  // The system sets PATH; it is not for .env.
  const known: string[] = Object.values({ ...settings, ...opsSettings })
    .map((setting) => setting.variable)
    .filter((name) => name !== 'PATH')
  const mistakes = [
    ...known.filter((name) => !described.includes(name)).map((name) => `.env.example does not describe ${name}`),
    ...described
      .filter((name) => !known.some((other) => other === name))
      .map((name) => `.env.example describes ${name}, which DAM does not know`),
  ]
  return mistakes.length === 0 ? passed : failed(mistakes.join('\n'))
}

/** The committed examples are made for this version from the policy that ships with it. */
async function checkDeploy(): Promise<CheckResult> {
  const facts = exportFacts(shippedNames, shippedPolicyFile)
  const input = { ...readPolicy(shippedPolicyFile), ...exampleInput }
  const folderOf = (name: string): string => path.join(root, 'deploy', name)
  const behind = [
    ...engineNames.flatMap((name) => compareFiles(folderOf(name), engines[name](facts))),
    ...exporterNames
      .filter((name) => exporters[name]?.dependsOnTime !== true)
      .flatMap((name) => compareFiles(folderOf(name), exporters[name]?.export(input).files ?? [])),
  ]
  return behind.length === 0 ? passed : failed([...behind, 'Run: ./dam export all'].join('\n'))
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
