import { stringify } from 'yaml'
import type { ExportInput } from './exporter.ts'

/** The lines that say where a file comes from and what it leaves out; without comment marks. */
export const bannerLines = (
  { policy, hash }: Pick<ExportInput, 'policy' | 'hash'>,
  unexpressed: readonly string[],
): string[] => [
  `${policy.service.name}: made by ./dam export from policy ${hash}. Change the policy, not this file.`,
  ...(unexpressed.length > 0 ? ['Not expressed here:', ...unexpressed.map((line) => `- ${line}`)] : []),
]

/** A document as YAML below the banner. */
export const yamlFile = (
  input: Pick<ExportInput, 'policy' | 'hash'>,
  unexpressed: readonly string[],
  document: unknown,
): string =>
  `${bannerLines(input, unexpressed)
    .map((line) => `# ${line}\n`)
    .join('')}\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`

export const jsonFile = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`
