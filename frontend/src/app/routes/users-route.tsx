import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { UserList } from '../../features/administration/user-list.tsx'
import { useTitle } from '../../lib/use-title.ts'
import { PlainPage } from '../../ui/panel.tsx'
import { useUser } from './gallery-route.tsx'

export default function UsersRoute(): ReactNode {
  useTitle(t`Users`)
  return (
    <PlainPage title={t`Users`}>
      <UserList me={useUser()} />
    </PlainPage>
  )
}
