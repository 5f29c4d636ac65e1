import { t } from '@lingui/core/macro'
import { Component, type ReactNode } from 'react'
import { ApiError } from '../lib/api.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'

type State = { error: unknown }

/** Where rendering itself failed: says so, with what support needs to find it in the log. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null }

  static getDerivedStateFromError(error: unknown): State {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    const isStale = error instanceof TypeError && /dynamically imported module|module script/i.test(error.message)
    return (
      <Notice
        icon="warning"
        title={isStale ? t`DAM has been updated` : t`This page broke`}
        message={
          isStale
            ? t`Load the page again to go on with the new version.`
            : t`What you did before is saved. Load the page again; if it happens again, tell your administrator what stands below.`
        }
      >
        <Button look="primary" onClick={() => window.location.reload()}>{t`Load again`}</Button>
        {!isStale && (
          <code>
            {error instanceof ApiError && error.requestId ? `${error.message} (${error.requestId})` : String(error)}
          </code>
        )}
      </Notice>
    )
  }
}
