import path from 'node:path'
import { cdnSettings } from './diagnosis/cdn/cdn-settings.ts'
import { notifySettings } from './notify/notify-settings.ts'
import { telemetrySettings } from './telemetry/telemetry-settings.ts'
import { address, integer, oneOf, readSettings, Secret, type ValuesOf } from '@dam/platform/settings'

/** The environment this process was started with, for programs it starts. */
export const shellEnvironment: Readonly<Record<string, string | undefined>> = process.env

/** Settings of operations: of the ops process and of the commands that work on its store. */
export const opsSettings = {
  opsHost: {
    variable: 'OPS_HOST',
    describe: 'Address the operations console listens on',
    default: 'localhost',
    parse: (text: string) => text,
  },
  opsPort: {
    variable: 'OPS_PORT',
    describe: 'Port of the operations console',
    default: '8081',
    parse: integer(0, 65535),
  },
  opsPublicUrl: {
    variable: 'OPS_PUBLIC_URL',
    describe: 'Address operators see, where a proxy stands in front; https makes cookies Secure',
    parse: (text: string) => address('http:', 'https:')(text).replace(/\/+$/, ''),
  },
  opsAdminUsername: {
    variable: 'OPS_ADMIN_USERNAME',
    describe: 'Name of the first administrator of the console, created without a person when there is no operator',
    parse: (text: string) => text,
  },
  opsAdminPassword: {
    variable: 'OPS_ADMIN_PASSWORD',
    describe: 'Password of that first administrator, at least 10 characters',
    secret: true,
    parse: (text: string) => {
      if (text.length < 10) throw new Error('expected at least 10 characters')
      return new Secret(text)
    },
  },
  hostDir: {
    variable: 'DAM_HOST_DIR',
    describe: 'Folder of a host that ./dam host init has prepared',
    parse: (text: string) => path.resolve(text),
  },
  statusEnvironments: {
    variable: 'OPS_STATUS_ENVIRONMENTS',
    describe: 'Environments on the public status page, with commas between; an empty value shows none',
    default: 'production,local',
    parse: (text: string) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
  },
  policyFile: {
    variable: 'DAM_POLICY',
    describe: 'File with the numbers and names of operations; default is ops/policy.yaml of this release',
    parse: (text: string) => path.resolve(text),
  },
  ...notifySettings,
  ...telemetrySettings,
  ...cdnSettings,
  prometheusUrl: {
    variable: 'DAM_PROMETHEUS_URL',
    describe: 'Prometheus that the judge asks about releases that other engines bring out',
    parse: (text: string) => address('http:', 'https:')(text).replace(/\/+$/, ''),
  },
} as const

/** What the ops process also reads of the settings that all of DAM shares. */
const sharedSettings = {
  dataDir: {
    variable: 'DAM_DATA',
    describe: 'Data folder of the local DAM',
    default: './data',
    parse: (text: string) => path.resolve(text),
  },
  host: {
    variable: 'HOST',
    describe: 'Where the local DAM listens',
    default: 'localhost',
    parse: (text: string) => text,
  },
  port: { variable: 'PORT', describe: 'Port of the local DAM', default: '8080', parse: integer(0, 65535) },
  publicUrl: {
    variable: 'DAM_PUBLIC_URL',
    describe: 'Address users see',
    parse: (text: string) => address('http:', 'https:')(text).replace(/\/+$/, ''),
  },
  trustProxy: {
    variable: 'DAM_TRUST_PROXY',
    describe: 'yes: believe X-Forwarded-For of the proxy in front',
    default: 'no',
    parse: (text: string) => oneOf('yes', 'no')(text) === 'yes',
  },
  logLevel: {
    variable: 'DAM_LOG_LEVEL',
    describe: 'Least severe level that is logged',
    default: 'info',
    parse: oneOf('debug', 'info', 'warn', 'error'),
  },
  logToStdout: {
    variable: 'DAM_LOG_STDOUT',
    describe: 'yes: log lines also on standard output',
    default: 'yes',
    parse: (text: string) => oneOf('yes', 'no')(text) === 'yes',
  },
} as const

const settings = { ...opsSettings, ...sharedSettings }
export type OpsConfig = ValuesOf<typeof settings>

/** Reads the environment once. On a host the console listens where `host.json` says, unless OPS_HOST or OPS_PORT is set. Throws SettingsError. */
export function readOpsConfig(
  environment: Record<string, string | undefined>,
  host?: { host: string; port: number },
): OpsConfig {
  const { values, sources } = readSettings(settings, environment)
  if (!host) return values
  return {
    ...values,
    opsHost: sources.opsHost === 'environment' ? values.opsHost : host.host,
    opsPort: sources.opsPort === 'environment' ? values.opsPort : host.port,
  }
}
