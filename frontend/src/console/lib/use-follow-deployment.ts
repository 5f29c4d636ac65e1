import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { navigate } from '../../lib/navigation.ts'
import { read } from './api.ts'

const everyMs = 1_000

/** Leads to the deployment or rollback that a command started from here begins, as soon as it is in the ledger. */
export function useFollowDeployment(environment: string, isStarted: boolean): void {
  const newest = useQuery({
    ...read('deployments', 'listDeployments', { query: { environment, limit: 1 } }),
    enabled: environment !== '',
    refetchInterval: isStarted ? everyMs : false,
  }).data?.results[0]?.id
  const before = useRef<number | undefined>(undefined)
  useEffect(() => {
    if (!isStarted) before.current = newest
    else if (newest !== undefined && newest > (before.current ?? 0)) navigate(`/deployments/${newest}`)
  }, [isStarted, newest])
}
