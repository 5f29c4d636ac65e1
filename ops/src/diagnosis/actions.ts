import type { CauseName } from './causes.ts'

export type Risk = 'read' | 'reversible' | 'disruptive' | 'destructive'

/** What `./dam fix` can carry out. `advice` is for a person: its command is not run by us. */
export type FixKind =
  | 'terminate-session'
  | 'terminate-idle-sessions'
  | 'reset-setting'
  | 'restart-process'
  | 'continue-process'
  | 'end-foreign-process'
  | 'clear-cache'
  | 'purge-cdn'
  | 'roll-back'
  | 'create-index'
  | 'advice'

export type ProposedAction = {
  kind: FixKind
  risk: Risk
  title: string
  /** Exactly what would be done, for a shell or psql. */
  command: string
  subject: Record<string, string | number>
  /** Of destructive ones: what a person has to type. */
  typedName?: string
}

type Subject = Record<string, string | number>

/** The one thing to do about a cause; `environment` is written into commands. */
export function actionFor(cause: CauseName, subject: Subject, environment: string): ProposedAction {
  const advice = (title: string, command: string, risk: Risk = 'read'): ProposedAction => ({
    kind: 'advice',
    risk,
    title,
    command,
    subject,
  })
  const restart = (title: string): ProposedAction =>
    subject['pid'] === undefined
      ? advice(title, './dam host status')
      : { kind: 'restart-process', risk: 'disruptive', title, command: `kill -TERM ${subject['pid']}`, subject }
  switch (cause) {
    case 'lock-blocker':
    case 'idle-in-transaction':
      return {
        kind: 'terminate-session',
        risk: 'disruptive',
        title: `End session ${subject['pid']} of the database; its transaction is rolled back`,
        command: `./dam psql --environment ${environment} -c "select pg_terminate_backend(${subject['pid']})"`,
        subject,
      }
    case 'connections-exhausted':
      if (subject['application'] === undefined)
        return advice('See who holds the connections', `./dam db connections --environment ${environment}`)
      return {
        kind: 'terminate-idle-sessions',
        risk: 'disruptive',
        title: `End the idle sessions of "${subject['application']}"; open transactions of theirs are rolled back`,
        command: `./dam psql --environment ${environment} -c "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${String(subject['application']).replaceAll("'", "''")}' and state like 'idle%'"`,
        subject,
      }
    case 'database-read-only':
      return {
        kind: 'reset-setting',
        risk: 'reversible',
        title: 'Let the database take writes again',
        command: `./dam psql --environment ${environment} -c "alter system reset default_transaction_read_only" && ./dam psql --environment ${environment} -c "select pg_reload_conf()"`,
        subject: { setting: 'default_transaction_read_only' },
      }
    case 'process-leak':
      return restart(
        `Restart ${subject['process'] ?? 'the process'}: frees its memory until the leak is fixed in the next release`,
      )
    case 'process-stopped':
      return {
        kind: 'continue-process',
        risk: 'reversible',
        title: `Let ${subject['process'] ?? 'the process'} go on`,
        command: `kill -CONT ${subject['pid']}`,
        subject,
      }
    case 'database-hung':
      return subject['pid'] === undefined
        ? advice(
            'Look at the log of the database and restart it',
            `./dam logs --environment ${environment} -n 50`,
            'read',
          )
        : {
            kind: 'continue-process',
            risk: 'reversible',
            title: 'Let the database server go on',
            command: `kill -CONT ${subject['pid']}`,
            subject,
          }
    case 'other-process-memory':
    case 'cpu-other-process':
      return {
        kind: 'end-foreign-process',
        risk: 'destructive',
        title: `End the program ${subject['process']} (${subject['pid']}), which is not DAM's: what it has not saved is lost`,
        command: `kill -TERM ${subject['pid']}`,
        subject,
        typedName: String(subject['process']),
      }
    case 'release-fault':
      return {
        kind: 'roll-back',
        risk: 'disruptive',
        title: `Go back to the release before ${subject['release'] ?? 'this one'}`,
        command: `./dam rollback ${environment} --reason "new errors of ${subject['release'] ?? 'the release'}"`,
        subject,
      }
    case 'missing-index':
      return {
        kind: 'create-index',
        risk: 'reversible',
        title: `Add an index to ${subject['table']} without locking it`,
        command: `./dam psql --environment ${environment} -c "create index concurrently if not exists ${subject['index']} on ${subject['table']} (${subject['column']})"`,
        subject,
      }
    case 'cache-misses':
      return advice('See what the cache holds', `./dam cache keys --environment ${environment}`)
    case 'cdn-stale':
    case 'cdn-missing':
      return {
        kind: 'purge-cdn',
        risk: 'reversible',
        title: 'Purge these addresses at the CDN and compare again',
        command: `./dam cdn purge ${subject['urls']}`,
        subject,
      }
    case 'cdn-down':
      return advice(
        "Serve from the origin until the CDN is back: point its name at the origin, tell the CDN's support",
        `./dam timings ${subject['origin'] ?? '<origin>'}/`,
      )
    case 'cdn-headers':
      return advice('Compare the cache headers at edge and origin', `./dam timings ${subject['url'] ?? '<address>'}`)
    case 'schema-mismatch':
      return advice(
        'Compare the schema with the migrations of this release; a migration that is missing is applied, one that is broken is taken back',
        `./dam migrate --list --environment ${environment}`,
      )
    case 'slow-statement':
      return subject['pid'] === undefined
        ? advice('Look at the statement and its plan', `./dam db slow --environment ${environment}`)
        : {
            kind: 'terminate-session',
            risk: 'disruptive',
            title: `End the statement of session ${subject['pid']}; look at it with ./dam db slow`,
            command: `./dam psql --environment ${environment} -c "select pg_terminate_backend(${subject['pid']})"`,
            subject,
          }
    case 'database-down':
      return advice(
        'Start the database: the supervisor does it by itself within seconds, unless its log says why not',
        './dam doctor',
      )
    case 'database-permission':
      return advice(
        'Give the privileges back to the user of DAM',
        `./dam psql --environment ${environment} -c "\\dp ${subject['table'] ?? ''}"`,
      )
    case 'disk-full':
      return advice('Free space: old backups first', './dam backups')
    case 'storage-lost':
      return advice(
        'Bring the folder of originals back, then compare it with the database',
        `./dam fsck --environment ${environment}`,
      )
    case 'out-of-memory':
    case 'memory-load':
    case 'converter-load':
      return advice(
        'Give the machine more memory, or let fewer files be processed at once',
        'DAM_WORKER_CONCURRENCY=1 ./dam up',
      )
    case 'cpu-load':
    case 'queue-backlog':
      return advice('Add processors, or a second worker', './dam tune')
    case 'pool-exhausted':
      return advice('Raise the size of the pool', 'DAM_DATABASE_POOL=20 ./dam up')
    case 'cache-down':
      return advice('Start Redis again; DAM runs without it, slower', './dam cache stats')
    case 'external-slow':
      return advice('See which service it is', './dam tune')
    case 'process-missing':
    case 'system-down':
      return advice('See what runs and why it ended', `./dam logs --errors --environment ${environment}`)
    case 'code-error':
      return advice('Look at the newest lines of this error', `./dam logs --errors --environment ${environment}`)
  }
}
