import type { Exported } from './exporter.ts'

/** How files differ from what the policy says now, a sentence each; `read` gives the text of a file or null. */
export function findDrift({ files }: Exported, read: (file: string) => string | null): string[] {
  return files.flatMap(({ path, text }) => {
    const found = read(path)
    if (found === text) return []
    if (found === null) return [`${path} is missing.`]
    const [was, is] = [found, text].map((one) => /policy-hash[":\s]+([0-9a-f]{16})/.exec(one)?.[1] ?? 'unknown')
    return [
      was === is
        ? `${path} was changed by hand or by another version of DAM.`
        : `${path} is of the policy ${was}; the policy is ${is} now.`,
    ]
  })
}
