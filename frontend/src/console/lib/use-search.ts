import { navigate, useLocation } from '../../lib/navigation.ts'

/** One parameter of the address, so that what a page shows can be linked to. */
export function useSearch(name: string): [string, (value: string) => void] {
  const { path, search } = useLocation()
  const params = new URLSearchParams(search)
  return [
    params.get(name) ?? '',
    (value) => {
      if (value === '') params.delete(name)
      else params.set(name, value)
      navigate(`${path}${params.size > 0 ? `?${params}` : ''}`, { replace: true })
    },
  ]
}
