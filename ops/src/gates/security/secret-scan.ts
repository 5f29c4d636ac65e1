import { createHash } from 'node:crypto'
import path from 'node:path'
import { lintSource } from '@secretlint/core'
import { creator } from '@secretlint/secretlint-rule-preset-recommend'
import * as z from 'zod'
import type { CheckLine } from './check-line.ts'
import { assignedSecrets, secretPatterns } from './secret-patterns.ts'

const allowed = z.strictObject({
  allowed: z.array(
    z.strictObject({
      file: z.string(),
      /** First 16 digits of the sha256 of the very text that was found. */
      fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
      because: z.string().min(20),
    }),
  ),
})
/** What looks like a secret and is none, such as a key made for a test; bound to file and text. */
export type AllowedSecret = z.infer<typeof allowed>['allowed'][number]

/** Reads `security/allowed-secrets.json`; throws when it is not as it should be. */
export function readAllowedSecrets(text: string): AllowedSecret[] {
  const parsed = allowed.safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`security/allowed-secrets.json: ${z.prettifyError(parsed.error)}`)
  return parsed.data.allowed
}

const presetId = '@secretlint/secretlint-rule-preset-recommend'
const config = {
  rules: [
    {
      id: presetId,
      rule: creator,
      // Comments in a source must not switch the scan off.
      rules: [{ id: '@secretlint/secretlint-rule-filter-comments', disabled: true }],
    },
  ],
}

type Hit = { file: string; line: number; what: string; fingerprint: string }

/** Looks for secrets in the files of an artifact. Findings name file, line and fingerprint, never the secret. */
export async function scanForSecrets(
  files: ReadonlyMap<string, Uint8Array>,
  allowList: readonly AllowedSecret[],
): Promise<CheckLine> {
  const hits: Hit[] = []
  let scanned = 0
  for (const [file, bytes] of files) {
    if (isBinary(bytes)) continue
    scanned++
    hits.push(...(await scanFile(file, new TextDecoder().decode(bytes))))
  }
  if (scanned === 0) return { check: 'secrets', state: 'unknown', summary: 'there were no files to scan', findings: [] }
  const isAllowed = (hit: Hit): boolean =>
    allowList.some(({ file, fingerprint }) => file === hit.file && fingerprint === hit.fingerprint)
  const open = hits.filter((hit) => !isAllowed(hit))
  const summary =
    open.length === 0
      ? `no secrets in ${scanned} text files${hits.length > 0 ? `, ${hits.length} reviewed as harmless` : ''}`
      : `${open.length} possible secrets`
  return {
    check: 'secrets',
    state: open.length === 0 ? 'pass' : 'fail',
    summary,
    findings: open.map(({ file, line, what, fingerprint }) => `${file}:${line}: ${what} (fingerprint ${fingerprint})`),
  }
}

async function scanFile(file: string, content: string): Promise<Hit[]> {
  const lineOf = (index: number): number => content.slice(0, index).split('\n').length
  const hit = (index: number, what: string, text: string): Hit => ({
    file,
    line: lineOf(index),
    what,
    fingerprint: createHash('sha256').update(text).digest('hex').slice(0, 16),
  })
  const own = secretPatterns.flatMap(({ name, pattern }) =>
    [...content.matchAll(pattern)].map((found) => hit(found.index, name, found[0])),
  )
  const assigned = assignedSecrets(content).map(({ index, value }) => hit(index, 'random value of a secret', value))
  const { messages } = await lintSource({
    source: { content, filePath: file, ext: path.extname(file), contentType: 'text' },
    options: { config, noPhysicFilePath: true },
  })
  const linted = messages.map(({ range: [start, end], ruleId, messageId }) =>
    hit(start, `${ruleId.replace('@secretlint/secretlint-rule-', '')} ${messageId}`, content.slice(start, end)),
  )
  return [...own, ...assigned, ...linted].toSorted((a, b) => a.line - b.line)
}

const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, 8_000).includes(0)
