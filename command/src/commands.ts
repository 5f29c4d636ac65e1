export type Command = {
  /** Shown by `./dam <command> --help`. */
  help: string
  /** Resolves to the exit code. */
  run(args: string[]): Promise<number>
}

type Entry = { summary: string; load: () => Promise<Command> }

/** Everything `./dam` can do. */
export const commands = {
  up: { summary: 'start DAM and keep it running', load: () => import('./commands/up.ts') },
  doctor: {
    summary: 'say what this machine has, lacks, and how to install it',
    load: () => import('./commands/doctor.ts'),
  },
  config: {
    summary: 'print the effective settings and where they come from',
    load: () => import('./commands/config.ts'),
  },
  host: { summary: 'prepare and run staging and production side by side', load: () => import('./commands/host.ts') },
  release: {
    summary: 'build, verify, install and exchange releases',
    load: () => import('./commands/release.ts'),
  },
  releases: { summary: 'list the releases of a host', load: () => import('./commands/releases.ts') },
  deploy: {
    summary: 'bring a release to an environment, watch it, go back if it is bad',
    load: () => import('./commands/deploy.ts'),
  },
  rollback: { summary: 'go back to an earlier release', load: () => import('./commands/rollback.ts') },
  deployments: {
    summary: 'list deployments and rollbacks with their time lines',
    load: () => import('./commands/deployments.ts'),
  },
  user: { summary: 'add and list users, change roles and passwords', load: () => import('./commands/user.ts') },
  operator: {
    summary: 'add and list operators of the console, change roles and passwords',
    load: () => import('./commands/operator.ts'),
  },
  verify: {
    summary: 'the checklists after a deployment, line by line with evidence',
    load: () => import('./commands/verify.ts'),
  },
  attest: {
    summary: 'vouch for a line of the verification checklists',
    load: () => import('./commands/attest.ts'),
  },
  migrate: { summary: 'bring the database schema up or down', load: () => import('./commands/migrate.ts') },
  psql: { summary: 'connect to the database', load: () => import('./commands/psql.ts') },
  fsck: {
    summary: 'compare the originals on the disk with the database',
    load: () => import('./commands/fsck.ts'),
  },
  backup: { summary: 'back up the database and the originals', load: () => import('./commands/backup.ts') },
  backups: { summary: 'list, check and fetch backups', load: () => import('./commands/backups.ts') },
  restore: {
    summary: 'bring a backup back: beside the live database, checked, then swapped',
    load: () => import('./commands/restore.ts'),
  },
  drill: {
    summary: 'prove that the newest backup comes back; game days of the five common issues',
    load: () => import('./commands/drill.ts'),
  },
  pg_restore: {
    summary: "the runbook's line, guarded: never over a live database",
    load: () => import('./commands/pg-restore.ts'),
  },
  maintenance: {
    summary: 'maintenance windows: plan, begin, end, checklists, reports',
    load: () => import('./commands/maintenance.ts'),
  },
  oncall: { summary: 'who is on call; exceptions, swaps, hand-off notes', load: () => import('./commands/oncall.ts') },
  page: { summary: 'open an incident by hand and call whoever is on call', load: () => import('./commands/page.ts') },
  alerts: { summary: 'what fires; silences and history of alerts', load: () => import('./commands/alerts.ts') },
  incidents: { summary: 'list incidents', load: () => import('./commands/incidents.ts') },
  incident: {
    summary: 'show, acknowledge, update or resolve an incident',
    load: () => import('./commands/incident.ts'),
  },
  diagnose: {
    summary: 'what is the matter: errors, slow, memory, database, cdn',
    load: () => import('./commands/diagnose.ts'),
  },
  fix: { summary: 'what a proposed action would do; with consent, do it', load: () => import('./commands/fix.ts') },
  logs: { summary: 'the newest lines of app.log, by level, user or request', load: () => import('./commands/logs.ts') },
  db: {
    summary: 'connections, slow statements, sizes and blockers of the database',
    load: () => import('./commands/db.ts'),
  },
  cache: { summary: 'state, keys and clearing of the shared cache', load: () => import('./commands/cache.ts') },
  cdn: { summary: 'compare edge and origin; purge', load: () => import('./commands/cdn.ts') },
  tune: { summary: 'the chapter Performance Tuning, line by line', load: () => import('./commands/tune.ts') },
  timings: { summary: 'where the time of one request goes', load: () => import('./commands/timings.ts') },
  runbook: {
    summary: 'print the runbook as the policy and the commands have it',
    load: () => import('./commands/runbook.ts'),
  },
  policy: { summary: 'check, explain, compare and back-test the policy', load: () => import('./commands/policy.ts') },
  channels: { summary: 'where messages go, and whether they arrive', load: () => import('./commands/channels.ts') },
  outbox: { summary: 'messages of operations; send dead ones again', load: () => import('./commands/outbox.ts') },
  export: {
    summary: 'write the policy as Prometheus, Alertmanager, Grafana, Kubernetes, HAProxy and others read it',
    load: () => import('./commands/export.ts'),
  },
  env: {
    summary: 'print shell lines that put pnpm, Node.js and psql settings in reach',
    load: () => import('./commands/env.ts'),
  },
  exec: { summary: 'run a program with the pinned pnpm and Node.js', load: () => import('./commands/exec.ts') },
  build: { summary: 'build the web application', load: () => import('./commands/build.ts') },
  check: { summary: 'run the static checks', load: () => import('./commands/check.ts') },
  test: { summary: 'run the checks and all tests', load: () => import('./commands/test.ts') },
  gates: {
    summary: 'show the pre-deployment checklist of a release',
    load: () => import('./commands/gates.ts'),
  },
  gate: {
    summary: 'make, take or waive the evidence of one line of the checklist',
    load: () => import('./commands/gate.ts'),
  },
  version: { summary: 'print versions', load: () => import('./commands/version.ts') },
} satisfies Record<string, Entry>

export type CommandName = keyof typeof commands

export const isCommandName = (name: string | undefined): name is CommandName =>
  name !== undefined && Object.hasOwn(commands, name)

export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return ['Usage: ./dam <command>', '', ...lines, '', './dam <command> --help explains a command.'].join('\n')
}
