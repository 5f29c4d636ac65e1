import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { hostFolders } from '../environments/environment.ts'
import { toolPathOf } from './install-packages.ts'
import { runTool } from './run-tool.ts'
import { pnpmOfRelease } from './toolchain-folder.ts'

type Component = { 'bom-ref': string }

/** CycloneDX, as far as we change it. */
export type BillOfMaterials = {
  serialNumber?: string
  metadata: { timestamp?: string; component: Component }
  components: Component[]
  dependencies?: { ref: string; dependsOn?: string[] }[]
}

/** What packages a release runs with, under which licence, and what needs what, as CycloneDX JSON. */
export async function readBillOfMaterials(options: {
  hostDir: string
  /** Unpacked, with its packages. */
  dir: string
  signal?: AbortSignal | undefined
}): Promise<Buffer> {
  const { dir, signal } = options
  const store = `--config.store-dir=${hostFolders(options.hostDir).packages}`
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--prod', store]
  const text = await runTool(pnpmOfRelease(dir), args, { cwd: dir, signal, env: { PATH: toolPathOf(dir) } })
  const bill = JSON.parse(text.toString()) as BillOfMaterials
  const lockfile = readFileSync(path.join(dir, 'pnpm-lock.yaml'), 'utf8')
  return Buffer.from(`${JSON.stringify(withoutChance(bill, lockfile), null, 2)}\n`)
}

/**
 * The same packages give the same bytes: no serial number, no time, everything in order. Which package needs which is
 * read from the lockfile, because pnpm leaves out a different part of it each time.
 */
export function withoutChance(bill: BillOfMaterials, lockfile: string): BillOfMaterials {
  const { serialNumber: _serialNumber, dependencies: _dependencies, ...rest } = bill
  const { timestamp: _timestamp, ...metadata } = bill.metadata
  const components = bill.components.toSorted((a, b) => order(a['bom-ref'], b['bom-ref']))
  const needs = readNeeds(parse(lockfile) as Lockfile, components)
  const root = bill.metadata.component['bom-ref']
  const dependencies = [root, ...components.map((component) => component['bom-ref'])].map((ref) => ({
    ref,
    dependsOn: [...(ref === root ? needs.ofAll : (needs.byRef.get(ref) ?? []))].sort(order),
  }))
  return { ...rest, metadata, components, dependencies }
}

type Needs = Record<string, string>
type Importer = Partial<Record<'dependencies' | 'optionalDependencies', Record<string, { version: string }>>>
type Snapshot = { dependencies?: Needs; optionalDependencies?: Needs }
type Lockfile = { importers: Record<string, Importer>; snapshots?: Record<string, Snapshot> }

/** `byRef`: what a package needs. `ofAll`: what our own packages need, together. */
function readNeeds(lockfile: Lockfile, components: readonly Component[]) {
  const refs = new Set(components.map((component) => component['bom-ref']))
  const ours = new Map(
    [...refs]
      .filter((ref) => ref.startsWith('pkg:npm/%40dam/'))
      .map((ref) => [/dam\/([^@]+)@/.exec(ref)?.[1] ?? '', ref]),
  )
  const byRef = new Map<string, Set<string>>()
  const ofAll = new Set<string>()
  const refOf = (name: string, version: string): string | undefined =>
    version.startsWith('link:')
      ? ours.get(path.posix.basename(version))
      : refs.has(ref(name, version))
        ? ref(name, version)
        : undefined
  const add = (to: Set<string>, needs: Needs) => {
    for (const [name, version] of Object.entries(needs)) {
      const found = refOf(name, version)
      if (found) to.add(found)
    }
  }
  const setOf = (of: string) => {
    const set = byRef.get(of) ?? new Set()
    byRef.set(of, set)
    return set
  }
  for (const [folder, importer] of Object.entries(lockfile.importers)) {
    const own = ours.get(folder)
    const direct = Object.entries({ ...importer.dependencies, ...importer.optionalDependencies })
    const needs = Object.fromEntries(direct.map(([name, { version }]) => [name, version]))
    add(ofAll, needs)
    if (own) add(setOf(own), needs)
  }
  for (const [key, snapshot] of Object.entries(lockfile.snapshots ?? {})) {
    add(setOf(ref('', key)), { ...snapshot.dependencies, ...snapshot.optionalDependencies })
  }
  return { byRef, ofAll }
}

/** `1.2.3(peer@2.0.0)` of a package, or `other@1.2.3` where it is there under another name. */
function ref(name: string, version: string): string {
  const plain = version.replace(/\(.*$/, '')
  const full = plain.includes('@') ? plain : `${name}@${plain}`
  return `pkg:npm/${full.replace(/^@/, '%40')}`
}

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
