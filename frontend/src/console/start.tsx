import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { useStore } from '../lib/use-store.ts'
import { Console } from './console.tsx'
import { queryClient } from './lib/api.ts'
import { consoleLocale } from './lib/console-locale.ts'
import { PageFault } from './page-fault.tsx'

function Root(): ReactNode {
  // A new language renders every text again.
  const locale = useStore(consoleLocale)
  return (
    <PageFault>
      <Console key={locale} />
    </PageFault>
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
