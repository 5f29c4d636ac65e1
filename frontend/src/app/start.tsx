import '../ui/tokens.css'
import '../ui/base.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { activeLocale } from '../lib/i18n.ts'
import { queryClient } from '../lib/query-client.ts'
import { useStore } from '../lib/use-store.ts'
import { Application } from './application.tsx'
import { ErrorBoundary } from './error-boundary.tsx'

function Root() {
  // A new language renders every text again: the key makes that a fresh tree, while caches and stores live on.
  const locale = useStore(activeLocale)
  return (
    <ErrorBoundary>
      <Application key={locale} />
    </ErrorBoundary>
  )
}

export function start(element: HTMLElement): void {
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <Root />
      </QueryClientProvider>
    </StrictMode>,
  )
}
