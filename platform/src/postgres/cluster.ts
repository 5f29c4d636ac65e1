import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { databaseUser, type PostgresLayout } from './layout.ts'
import { clusterVersion, type PostgresPrograms } from './programs.ts'
import { commandFor, type RunAs, serverEnvironment } from './run-as.ts'

/** Creates the cluster when there is none. It appears under its name only when complete. Returns whether it was created. */
export async function ensureCluster(options: {
  layout: PostgresLayout
  programs: PostgresPrograms
  runAs: RunAs
  password: string
}): Promise<boolean> {
  const { layout, programs, runAs } = options
  const unfinished = `${layout.clusterDir}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  openPath(layout, runAs)
  giveTo(layout.homeDir, runAs)
  const onDisk = clusterVersion(layout.clusterDir)
  if (onDisk !== null) {
    const wanted = programs.version.split('.')[0]
    if (onDisk !== wanted) {
      throw new Error(
        `${layout.clusterDir} was written by PostgreSQL ${onDisk} and this release brings PostgreSQL ${wanted}. Start the release that wrote it, or choose another data directory with DAM_DATA.`,
      )
    }
    chmodSync(layout.clusterDir, 0o700)
    return false
  }
  if (existsSync(layout.clusterDir) && readdirSync(layout.clusterDir).length > 0) {
    throw new Error(
      `${layout.clusterDir} holds files but no database (PG_VERSION is missing). Restore it from a backup, or move it away to start with an empty database.`,
    )
  }
  const passwordFile = `${layout.passwordFile}.initdb`
  try {
    writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 })
    if (runAs.kind === 'dropped') chownSync(passwordFile, runAs.uid, runAs.gid)
    await runInitdb({ programs, runAs, clusterDir: unfinished, passwordFile })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  rmSync(layout.clusterDir, { recursive: true, force: true })
  renameSync(unfinished, layout.clusterDir)
  return true
}

// The builtin locale sorts and folds alike on every machine and never changes under an index, unlike the system's.
async function runInitdb(options: {
  programs: PostgresPrograms
  runAs: RunAs
  clusterDir: string
  passwordFile: string
}): Promise<void> {
  const command = commandFor(options.runAs, join(options.programs.binDir, 'initdb'), [
    `--pgdata=${options.clusterDir}`,
    `--username=${databaseUser}`,
    `--pwfile=${options.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
  ])
  const child = spawn(command.program, command.args, {
    ...command.options,
    cwd: '/',
    env: serverEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`The database could not be created (initdb ended with ${code}):\n${output.trim()}`)
}

/** As `nobody` the server must be able to reach the cluster: says which folder is in the way. */
function openPath(layout: PostgresLayout, runAs: RunAs): void {
  if (runAs.kind !== 'dropped') return
  for (let dir = dirname(layout.homeDir); ; dir = dirname(dir)) {
    if ((lstatSync(dir).mode & 0o001) === 0) {
      if (dir === dirname(layout.homeDir)) chmodSync(dir, (lstatSync(dir).mode & 0o777) | 0o011)
      else {
        throw new Error(
          `PostgreSQL runs as the user nobody here and cannot enter ${dir}. Set DAM_DATA to a folder that it can enter, such as /var/lib/dam, or start DAM as an ordinary user.`,
        )
      }
    }
    if (dir === dirname(dir)) return
  }
}

/** Gives everything to the user that will run the server, when it last ran in another way. */
function giveTo(homeDir: string, runAs: RunAs): void {
  const uid = runAs.kind === 'dropped' ? runAs.uid : (process.getuid?.() ?? 0)
  const gid = runAs.kind === 'dropped' ? runAs.gid : (process.getgid?.() ?? 0)
  const owner = lstatSync(homeDir).uid
  if (owner === uid) return
  if (process.getuid?.() !== 0) {
    throw new Error(
      `${homeDir} belongs to another user (${owner}). Start DAM as that user, or give the data directory to this one: chown -R ${uid} ${dirname(homeDir)}`,
    )
  }
  const give = (path: string): void => {
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name))
    lchownSync(path, uid, gid)
  }
  give(homeDir)
}
