import { hostFolders } from '../environments/environment.ts'
import { toolPathOf } from './install-packages.ts'
import { runTool } from './run-tool.ts'
import { pnpmOfRelease } from './toolchain-folder.ts'

type Dependency = { ref: string; dependsOn?: string[] }
type Component = { 'bom-ref': string }

/** CycloneDX, as far as we change it. */
type BillOfMaterials = {
  serialNumber?: string
  metadata: { timestamp?: string }
  components: Component[]
  dependencies?: Dependency[]
}

/** What the packages of an installed source folder are and under which licence, as CycloneDX JSON: for running, not for building. */
export async function readBillOfMaterials(options: {
  hostDir: string
  dir: string
  signal?: AbortSignal | undefined
}): Promise<Buffer> {
  const { dir, signal } = options
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--prod']
  const text = await runTool(
    pnpmOfRelease(dir),
    [...args, `--config.store-dir=${hostFolders(options.hostDir).packages}`],
    {
      cwd: dir,
      signal,
      env: { PATH: toolPathOf(dir) },
    },
  )
  return Buffer.from(`${JSON.stringify(withoutChance(JSON.parse(text.toString()) as BillOfMaterials), null, 2)}\n`)
}

/** The same packages give the same bytes: no serial number, no time, everything in order. */
export function withoutChance(bill: BillOfMaterials): BillOfMaterials {
  const { serialNumber: _serialNumber, ...rest } = bill
  const { timestamp: _timestamp, ...metadata } = bill.metadata
  return {
    ...rest,
    metadata,
    components: bill.components.toSorted((a, b) => order(a['bom-ref'], b['bom-ref'])),
    ...(bill.dependencies && {
      dependencies: bill.dependencies
        .map((one) => (one.dependsOn ? { ...one, dependsOn: one.dependsOn.toSorted(order) } : one))
        .toSorted((a, b) => order(a.ref, b.ref)),
    }),
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
