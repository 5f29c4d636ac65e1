import { t } from '@lingui/core/macro'
import { Component, type ReactNode } from 'react'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'

/** Where rendering itself failed: says so, and what to do meanwhile. */
export class PageFault extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <Notice
        icon="warning"
        title={t`This page broke`}
        message={t`Load it again. Everything the console does can also be done with ./dam on the machine itself.`}
      >
        <Button look="primary" onClick={() => window.location.reload()}>{t`Load again`}</Button>
        <code>{String(error)}</code>
      </Notice>
    )
  }
}
