import { t } from '@lingui/core/macro'
import type { SortField } from '../../lib/gallery-query.ts'

/** What the toolbar lets a person choose. */
export type FilterKind = 'type' | 'date' | 'tags' | 'status' | 'sort'

export const sortNames = (): Record<SortField, string> => ({
  date_added: t`Date added`,
  date: t`Date taken`,
  date_modified: t`Last changed`,
  label: t`Title`,
  filename: t`File name`,
  size: t`Size`,
})
