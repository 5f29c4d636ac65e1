import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { Appearance, Profile, Sessions } from '../../features/settings/settings-page.tsx'
import { useTitle } from '../../lib/use-title.ts'
import { PlainPage } from '../../ui/panel.tsx'
import { useUser } from './gallery-route.tsx'

export default function SettingsRoute(): ReactNode {
  useTitle(t`Settings`)
  const user = useUser()
  return (
    <PlainPage title={t`Settings`}>
      <Appearance />
      <Profile user={user} />
      <Sessions />
    </PlainPage>
  )
}
