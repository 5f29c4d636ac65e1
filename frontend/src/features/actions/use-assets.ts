import { plural, t } from '@lingui/core/macro'
import type { Action } from '../../lib/action.ts'
import { api, messageOf } from '../../lib/api.ts'
import { isAtLeast } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'

/** Browsers ask, or give up, when a page starts more downloads than a few dozen. */
const mostDownloads = 50
const pauseBetweenDownloadsMs = 250

export const download: Action = {
  id: 'download',
  label: () => t`Download`,
  icon: 'download',
  shortcut: 'd',
  prominent: true,
  canRun: ({ target, assets, query }) =>
    !query.trash && target.count <= mostDownloads && assets.length === target.count,
  async run({ assets }) {
    for (const asset of assets) {
      const link = document.createElement('a')
      link.href = asset.download_url
      link.download = ''
      link.click()
      await new Promise((resolve) => setTimeout(resolve, pauseBetweenDownloadsMs))
    }
  },
}

export const copyLink: Action = {
  id: 'copy-link',
  label: ({ target }) => (target.count === 1 ? t`Copy link` : t`Copy links`),
  icon: 'link',
  shortcut: 'c',
  prominent: false,
  canRun: ({ target, assets }) => assets.length === target.count && target.count <= 1000,
  async run({ assets }) {
    try {
      await navigator.clipboard.writeText(
        assets.map((asset) => new URL(`/dam/assets/${asset.id}`, window.location.href).href).join('\n'),
      )
      showToast({ tone: 'success', message: plural(assets.length, { one: 'Link copied', other: '# links copied' }) })
    } catch (error) {
      showToast({ tone: 'danger', message: t`The browser did not allow copying`, detail: messageOf(error) })
    }
  },
}

export const replay: Action = {
  id: 'replay',
  label: () => t`Process again`,
  icon: 'retry',
  shortcut: null,
  prominent: false,
  canRun: ({ target, assets, user, query }) =>
    !query.trash &&
    isAtLeast(user, 'editor') &&
    assets.length === target.count &&
    target.count <= 100 &&
    assets.every((asset) => asset.status !== 'processing'),
  async run({ assets }) {
    const results = await Promise.allSettled(
      assets.map((asset) => api('replayIngest', { params: { id: asset.id }, body: { from: 'identify' } })),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed)
      showToast({
        tone: 'danger',
        message: t`Some assets could not be processed again`,
        detail: messageOf(failed.reason),
      })
    else
      showToast({
        message: plural(assets.length, { one: 'Processing # asset again', other: 'Processing # assets again' }),
      })
  },
}
