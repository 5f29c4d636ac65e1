import type { OperatorRole } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'

export const roleName = (role: OperatorRole): string =>
  ({ viewer: t`Viewer`, operator: t`Operator`, administrator: t`Administrator` })[role]
