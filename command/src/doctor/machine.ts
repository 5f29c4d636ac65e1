import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { totalmem } from 'node:os'
import path from 'node:path'
import type { Config } from '@dam/backend/src/config.ts'
import { lockHolder } from '@dam/platform/exclusive-lock'
import { freePortAfter, isPortFree } from '../up/port.ts'
import type { Finding } from './finding.ts'

const gigabyte = 1e9

export async function checkDataFolder({ dataDir }: Config): Promise<Finding[]> {
  const name = 'data directory'
  const existing = nearestExisting(dataDir)
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return [
      {
        name,
        state: 'fatal',
        detail: `${existing} cannot be written by this user`,
        remedy: 'choose another with DAM_DATA, or give it to this user with chown',
      },
    ]
  }
  if (existing !== dataDir) return [{ name, state: 'ok', detail: `${dataDir} (created at the first start)` }]
  const mode = statSync(dataDir).mode & 0o777
  if ((mode & 0o007) !== 0) {
    return [
      {
        name,
        state: 'warning',
        detail: `${dataDir} is open to every user of this machine (${mode.toString(8)})`,
        remedy: `chmod o-rwx ${dataDir}`,
      },
    ]
  }
  return [{ name, state: 'ok', detail: `${dataDir} (${mode.toString(8)})` }]
}

export async function checkDisk({ dataDir, diskReservePercent }: Config): Promise<Finding[]> {
  const disk = statfsSync(nearestExisting(dataDir))
  const [freeBytes, sizeBytes] = [disk.bavail * disk.bsize, disk.blocks * disk.bsize]
  const detail = `${(freeBytes / gigabyte).toFixed(1)} GB free of ${(sizeBytes / gigabyte).toFixed(0)} GB`
  const remedy = 'free space, or move the data directory (DAM_DATA) to a larger disk'
  if (freeBytes < gigabyte / 2) return [{ name: 'disk', state: 'fatal', detail, remedy }]
  const isTight = freeBytes < (sizeBytes * diskReservePercent) / 100
  return [
    {
      name: 'disk',
      state: isTight ? 'warning' : 'ok',
      detail,
      ...(isTight ? { purpose: 'uploads are refused until more is free', remedy } : {}),
    },
  ]
}

export async function checkMemory(): Promise<Finding[]> {
  const bytes = totalmem()
  const isTight = bytes < gigabyte
  return [
    {
      name: 'memory',
      state: isTight ? 'warning' : 'ok',
      detail: `${(bytes / gigabyte).toFixed(1)} GB`,
      ...(isTight ? { purpose: 'large pictures and videos need 1 GB or more' } : {}),
    },
  ]
}

export async function checkPort(config: Config): Promise<Finding[]> {
  const { host, port, dataDir } = config
  const name = 'port'
  const up = existsSync(path.join(dataDir, 'up.lock')) ? lockHolder(path.join(dataDir, 'up.lock')) : null
  if (up) return [{ name, state: 'ok', detail: `DAM runs at ${String(up['address'])} (process ${String(up['pid'])})` }]
  if (await isPortFree(host, port)) return [{ name, state: 'ok', detail: `${host}:${port} is free` }]
  return [
    {
      name,
      state: 'warning',
      detail: `${port} is in use by another program`,
      remedy: `PORT=${await freePortAfter(host, port)} npm start`,
    },
  ]
}

function nearestExisting(dir: string): string {
  return existsSync(dir) ? dir : nearestExisting(path.dirname(dir))
}
