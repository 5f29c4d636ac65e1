import type { ComparedField } from './corpus-comparison.ts'

/** Where DAM differs from the reference tools on purpose or for a known reason: path -> field -> reason. */
export const explainedDisagreements: Record<string, Partial<Record<ComparedField, string>>> = {}
