import { useEffect } from 'react'

/** Title of the document: what the page shows, then the product. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · DAM` : 'DAM'
  }, [title])
}
