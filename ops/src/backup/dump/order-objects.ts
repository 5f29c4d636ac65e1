import { phases, type SchemaObject } from './schema-object.ts'

/**
 * What others need comes first; where that leaves a choice, phase, schema and name decide, so the same schema always gives the same
 * order. Throws on objects that need each other in a circle.
 */
export function orderObjects(
  objects: readonly SchemaObject[],
  needs: ReadonlyMap<string, ReadonlySet<string>>,
): SchemaObject[] {
  const byKey = new Map(objects.map((object) => [object.key, object]))
  const wanted = objects.toSorted(
    (a, b) =>
      phases.indexOf(a.phase) - phases.indexOf(b.phase) ||
      compare(a.schema, b.schema) ||
      compare(a.tag, b.tag) ||
      compare(a.key, b.key),
  )
  const placed = new Set<string>()
  const underWay = new Set<string>()
  const ordered: SchemaObject[] = []
  const place = (object: SchemaObject): void => {
    if (placed.has(object.key)) return
    if (underWay.has(object.key))
      throw new Error(
        `${object.kind} ${object.tag} needs itself through others; a dump cannot make them one after another.`,
      )
    underWay.add(object.key)
    for (const key of needs.get(object.key) ?? []) {
      const needed = byKey.get(key)
      if (needed) place(needed)
    }
    underWay.delete(object.key)
    placed.add(object.key)
    ordered.push(object)
  }
  for (const object of wanted) place(object)
  return ordered
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
