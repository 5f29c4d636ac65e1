import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { readEnvironments } from '@dam/ops/src/environments/host.ts'
import { environmentStatus } from '@dam/ops/src/environments/host-status.ts'
import { initHost } from '@dam/ops/src/environments/init-host.ts'
import { systemdUnits } from '@dam/ops/src/environments/systemd-units.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { root } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { hostDirOf, requireHost } from '../operations.ts'
import { commandMain, keeperMain, opsMain, stopHost, superviseHost } from '../host/supervise.ts'
import { quote } from '../shell.ts'
import { statusText } from '../host/status-text.ts'
import { verifyUnits } from '../host/verify-units.ts'

export const help = `
Usage: ./dam host init|up|status|stop|systemd [--host <folder>]

A prepared host runs two DAMs side by side, staging and production, each with its own data, database and public port,
and deploys releases to them (./dam release build, ./dam deploy, ./dam rollback).

  ./dam host init     prepare it: --dir <folder> (DAM_HOST_DIR, default ./host), --production-port 8080,
                      --staging-port 8082, --ops-port 8081, --listen <address> (default localhost),
                      --production-url, --staging-url where a proxy stands in front; again completes what is missing
  ./dam host up       run what looks after it until Ctrl-C: console, and a keeper for each environment; --log prints
                      the console's log here as well, it is in logs/app.log of the host in any case
  ./dam host status   what runs now; --json
  ./dam host stop     end what looks after it; DAM itself keeps serving. --all stops everything in order
  ./dam host systemd  print the units that do the same as ./dam host up; --write <folder>, --user <name>

Everything of a host is in its one folder. Killing any part of it loses nothing: what still runs is taken over.
`

export async function run(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  switch (verb) {
    case 'init':
      return init(rest)
    case 'up': {
      const { values } = parseArgs({
        args: rest,
        options: { host: { type: 'string' }, log: { type: 'boolean', default: false } },
      })
      return superviseHost(requireHost(values.host), { showLog: values.log })
    }
    case 'status':
      return status(rest)
    case 'stop': {
      const { values } = parseArgs({ args: rest, options: { host: { type: 'string' }, all: { type: 'boolean' } } })
      return stopHost(requireHost(values.host), { everything: values.all ?? false })
    }
    case 'systemd':
      return systemd(rest)
    default:
      throw new CommandFailure(help.trim().split('\n')[0] ?? '')
  }
}

async function init(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      dir: { type: 'string' },
      host: { type: 'string' },
      listen: { type: 'string', default: 'localhost' },
      'production-port': { type: 'string', default: '8080' },
      'staging-port': { type: 'string', default: '8082' },
      'ops-port': { type: 'string', default: '8081' },
      'production-url': { type: 'string' },
      'staging-url': { type: 'string' },
    },
  })
  const hostDir = hostDirOf(values.dir ?? values.host)
  const production = portOf('--production-port', values['production-port'])
  const { config, isNew, taken } = await initHost({
    hostDir,
    host: values.listen,
    ports: {
      production,
      staging: portOf('--staging-port', values['staging-port']),
      ops: portOf('--ops-port', values['ops-port']),
      // Below the range from which the kernel hands out ports to outgoing connections.
      firstSlot: 18_200,
      lastSlot: 18_299,
    },
    publicUrls: {
      ...(values['production-url'] ? { production: values['production-url'] } : {}),
      ...(values['staging-url'] ? { staging: values['staging-url'] } : {}),
    },
  })
  console.log(isNew ? `Prepared ${hostDir}` : `${hostDir} was prepared already; what was missing is there now`)
  for (const [name, { publicUrl }] of Object.entries(config.environments))
    console.log(`  ${name.padEnd(12)}${publicUrl}`)
  console.log(`  ${'console'.padEnd(12)}http://${config.ops.host}:${config.ops.port}`)
  for (const { port, use } of taken) {
    console.log(
      `\n! Port ${port} (${use}) is in use by another program. Free it, or change it in ${path.join(hostDir, 'host.json')}.`,
    )
  }
  const naming = hostDir === hostDirOf(undefined) ? '' : `  export DAM_HOST_DIR=${quote(hostDir)}\n`
  console.log(`
Next:
${naming}  ./dam host up                          run it (or install the units of ./dam host systemd)
  ./dam release build v1.0.0             make a release from a git tag
  ./dam deploy staging v1.0.0            bring it to staging, then to production
Settings of each: ${path.join(hostFolders(hostDir).environments, '<name>', 'environment.env')}`)
  return 0
}

async function status(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { host: { type: 'string' }, json: { type: 'boolean' } } })
  const hostDir = requireHost(values.host)
  using store = openStore(hostFolders(hostDir).ops)
  const now = new Date()
  const environments = await Promise.all(
    readEnvironments(hostDir).map((environment) => environmentStatus(store, environment, now)),
  )
  console.log(values.json ? JSON.stringify({ hostDir, environments }, null, 2) : statusText(environments))
  return environments.every(({ keeper, front }) => keeper !== null && front !== null) ? 0 : 1
}

async function systemd(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { host: { type: 'string' }, write: { type: 'string' }, user: { type: 'string' } },
  })
  const hostDir = requireHost(values.host)
  const user = values.user ?? null
  if (user !== null && !/^[a-z_][a-z0-9_-]{0,31}$/.test(user))
    throw new CommandFailure(`"${user}" is no name of a user.`)
  const units = systemdUnits({
    hostDir,
    checkout: root,
    node: process.execPath,
    environments: readEnvironments(hostDir).map(({ name }) => name),
    user,
    keeperMain,
    commandMain,
    opsMain,
  })
  if (values.write === undefined) for (const { name, text } of units) console.log(`# ${name}\n${text}`)
  else {
    mkdirSync(values.write, { recursive: true })
    for (const { name, text } of units) writeFileSync(path.join(values.write, name), text)
    console.log(
      `${units.length} units written. Then: systemctl daemon-reload && systemctl enable --now ${units.map(({ name }) => name).join(' ')}`,
    )
  }
  const findings = await verifyUnits(units)
  console.error(findings.summary)
  return findings.isSound ? 0 : 1
}

function portOf(option: string, text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new CommandFailure(`${option} must be a port from 1 to 65535, not "${text}".`)
}
