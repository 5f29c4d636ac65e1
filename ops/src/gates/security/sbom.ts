import * as z from 'zod'

export type Component = {
  name: string
  version: string
  /** SPDX ids or expressions, as declared; empty: none declared. */ licences: string[]
}

const licence = z.union([
  z.object({ expression: z.string() }).transform(({ expression }) => expression),
  z
    .object({ license: z.object({ id: z.string().optional(), name: z.string().optional() }) })
    .transform(({ license }) => license.id ?? license.name ?? ''),
])
const document = z.object({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(
    z.object({
      group: z.string().optional(),
      name: z.string().min(1),
      version: z.string().min(1),
      licenses: z.array(licence).optional(),
    }),
  ),
})

/** The components of a CycloneDX document. Throws for anything else, and for one without components. */
export function readSbom(text: string): Component[] {
  const parsed = document.safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`sbom.json is not CycloneDX: ${z.prettifyError(parsed.error)}`)
  const { components } = parsed.data
  if (components.length === 0)
    throw new Error('sbom.json lists no components, so there is nothing to hold against advisories.')
  return components.map(({ group, name, version, licenses = [] }) => ({
    name: group ? `${group}/${name}` : name,
    version,
    licences: licenses.filter((text) => text !== ''),
  }))
}
