import { createElement, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from 'react'
import { createStore } from './store.ts'
import { useStore } from './use-store.ts'

/**
 * The URL as state: a location store over the History API. A router library would cost a quarter of the script budget of
 * the first grid; what this application needs of one is this file and the table in `app/routes.ts`.
 */
export type PageLocation = { path: string; search: string }

const readLocation = (): PageLocation => ({ path: window.location.pathname, search: window.location.search })

const location = createStore<PageLocation>(readLocation())
window.addEventListener('popstate', () => location.set(readLocation()))

export function navigate(href: string, options: { replace?: boolean } = {}): void {
  const target = new URL(href, window.location.href)
  if (target.origin !== window.location.origin) throw new Error(`Not a page of this application: ${href}`)
  const next = target.pathname + target.search
  if (options.replace || next === window.location.pathname + window.location.search)
    history.replaceState(history.state, '', next)
  else history.pushState({ fromApplication: true }, '', next)
  location.set({ path: target.pathname, search: target.search })
}

export function currentLocation(): PageLocation {
  return location.get()
}

export function useLocation(): PageLocation {
  return useStore(location)
}

/** Parameters of `path` under `pattern` (`/dam/assets/:id`), or null. A trailing slash is accepted. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const expected = pattern.split('/').filter(Boolean)
  const actual = path.split('/').filter(Boolean)
  if (expected.length !== actual.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of expected.entries()) {
    if (part.startsWith(':')) {
      try {
        params[part.slice(1)] = decodeURIComponent(actual[index]!)
      } catch {
        return null
      }
    } else if (part !== actual[index]) return null
  }
  return params
}

export function isPlainClick(event: MouseEvent): boolean {
  return (
    event.button === 0 &&
    !event.metaKey &&
    !event.ctrlKey &&
    !event.shiftKey &&
    !event.altKey &&
    !event.defaultPrevented
  )
}

type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & {
  to: string
  replace?: boolean
  children?: ReactNode
}

export function Link({ to, replace, onClick, ...rest }: LinkProps): ReactNode {
  return createElement('a', {
    ...rest,
    href: to,
    onClick: (event: MouseEvent<HTMLAnchorElement>) => {
      onClick?.(event)
      if (!isPlainClick(event) || rest.target) return
      event.preventDefault()
      navigate(to, replace ? { replace } : {})
    },
  })
}
