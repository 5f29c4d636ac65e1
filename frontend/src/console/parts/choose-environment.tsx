import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { read } from '../lib/api.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from './choice.tsx'

/** Names of all environments; undefined until they are known. */
export function useEnvironments(): { name: string; isLocal: boolean }[] | undefined {
  return useQuery(read('overview', 'getOverview', {})).data?.environments
}

/** Narrows a page to one environment; nothing where there is only one. */
export function ChooseEnvironment({ all }: { all: boolean }): ReactNode {
  const environments = useEnvironments()
  const [environment, setEnvironment] = useSearch('environment')
  if (!environments || environments.length < 2) return null
  const names = environments.map(({ name }) => [name, name] as const)
  return (
    <Choice
      label={t`Environment`}
      value={environment || (all ? '' : (environments[0]?.name ?? ''))}
      options={all ? [['', t`all`], ...names] : names}
      onChange={setEnvironment}
    />
  )
}
