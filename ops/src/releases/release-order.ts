/** Older first, as semantic versions order: `1.2.0-rc.1` before `1.2.0-rc.2` before `1.2.0` before `1.10.0`. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)]
  for (let index = 0; index < 3; index++) {
    const difference = (one.numbers[index] ?? 0) - (other.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  // One without a pre-release is the finished version and comes after all of them.
  if (one.preRelease === null || other.preRelease === null) {
    return Number(one.preRelease === null) - Number(other.preRelease === null)
  }
  return comparePreReleases(one.preRelease.split('.'), other.preRelease.split('.'))
}

function partsOf(version: string): { numbers: number[]; preRelease: string | null } {
  const dash = version.indexOf('-')
  const numbers = (dash < 0 ? version : version.slice(0, dash)).split('.').map(Number)
  return { numbers, preRelease: dash < 0 ? null : version.slice(dash + 1) }
}

function comparePreReleases(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [a, b] = [one[index], other[index]]
    if (a === undefined || b === undefined) return Number(b === undefined) - Number(a === undefined)
    const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
    if (isNumberA !== isNumberB) return isNumberA ? -1 : 1
    const difference = isNumberA ? Number(a) - Number(b) : Number(a > b) - Number(a < b)
    if (difference !== 0) return difference
  }
  return 0
}
