import { globSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const serverTests = globSync('{contract,platform,backend,ops,command}/src/**/*.test.ts')

// A test that takes a database or starts a process of the product shows it by what it imports.
const usesRealThings = /testing\/|postgres\/start|node:child_process/
const integration = serverTests.filter((file) => usesRealThings.test(readFileSync(file, 'utf8')))
const unit = serverTests.filter((file) => !integration.includes(file))

// The frontend's tests run in its own folder, with its own configuration.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: unit, environment: 'node', testTimeout: 60_000 } },
      {
        test: {
          name: 'integration',
          include: integration,
          environment: 'node',
          // Tests of deployments mostly wait; beside them the others go on.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
    passWithNoTests: false,
  },
})
