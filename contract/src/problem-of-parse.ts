import type { z } from 'zod'
import { Problem } from './problem.ts'

/** A failed parse as a problem that names each field. */
export function problemOfParse(error: z.ZodError, part: 'body' | 'query' | 'params'): Problem {
  // Without a prototype: clients choose these keys.
  const fields = Object.create(null) as Record<string, string[]>
  const unknown: string[] = []
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      unknown.push(...issue.keys)
      for (const key of issue.keys) (fields[[...issue.path, key].join('.')] ??= []).push('This field is not known.')
    } else {
      ;(fields[issue.path.join('.') || 'non_field_errors'] ??= []).push(issue.message)
    }
  }
  if (part === 'params') return new Problem('not-found', 'Not found.')
  if (unknown.length > 0)
    return new Problem('unknown-field', `Unknown in the ${part}: ${unknown.join(', ')}.`, { fields })
  const [name, messages] = Object.entries(fields)[0] ?? ['', ['The input is not valid.']]
  return new Problem(
    'invalid-request',
    name && name !== 'non_field_errors' ? `${name}: ${messages[0]}` : (messages[0] ?? ''),
    { fields },
  )
}
