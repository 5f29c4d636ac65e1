const packages = ['contract', 'platform', 'backend', 'frontend', 'ops', 'command', 'e2e', 'bench']

/** @param {string} from @param {string[]} to */
const only = (from, to) => ({
  name: `${from}-imports-only-${to.join('-and-') || 'itself'}`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: `^(${packages.filter((name) => name !== from && !to.includes(name)).join('|')})/` },
})

/** Which way data and knowledge travel between the rooms. */
export default {
  forbidden: [
    only('contract', []),
    only('platform', ['contract']),
    only('backend', ['contract', 'platform']),
    only('frontend', ['contract']),
    only('ops', ['contract', 'platform']),
    only('command', ['contract', 'platform', 'backend', 'ops']),
    {
      name: 'contract-knows-only-zod',
      severity: 'error',
      from: { path: '^contract/src', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/zod/' },
    },
    {
      name: 'features-do-not-import-each-other',
      severity: 'error',
      from: { path: '^frontend/src/features/([^/]+)/' },
      to: { path: '^frontend/src/features/', pathNot: '^frontend/src/features/$1/' },
    },
    {
      name: 'console-knows-nothing-of-the-application',
      severity: 'error',
      from: { path: '^frontend/src/console/' },
      to: { path: '^frontend/src/(app|features|locales)/' },
    },
    {
      name: 'application-knows-nothing-of-the-console',
      severity: 'error',
      from: { path: '^frontend/src/', pathNot: '^frontend/src/console/' },
      to: { path: '^frontend/src/console/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { pathNot: '\\.test\\.tsx?$|/testing/|^e2e/|^bench/' },
      to: { path: '\\.test\\.tsx?$|/testing/' },
    },
    {
      name: 'everything-is-declared',
      severity: 'error',
      from: { pathNot: '\\.test\\.tsx?$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '\\.po$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist(-console)?/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
}
