import type { AssetSummary, AssetType } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import type { IconName } from '../ui/icon.tsx'

export const assetTypeNames = (): Record<AssetType, string> => ({
  image: t`Image`,
  video: t`Video`,
  audio: t`Audio`,
  document: t`Document`,
  model: t`3D model`,
  font: t`Font`,
  archive: t`Archive`,
  other: t`Other`,
})

export const typeIcon = (type: AssetType): IconName => type

export function statusName(status: AssetSummary['status']): string {
  return { processing: t`Processing`, ready: t`Ready`, failed: t`Failed` }[status]
}

/** `JPG`, `DOCX`: what the name ends with, at most five letters. */
export function extensionOf(filename: string): string {
  const extension = /\.([\p{L}\p{N}]{1,5})$/u.exec(filename)?.[1]
  return extension ? extension.toUpperCase() : ''
}

/** A reason in two parts: what a person needs, and what the tools said, which stands in brackets at its end. */
export function splitReason(reason: string): { words: string; technical: string | null } {
  const match = /^(.{20,}?[.!?])\s+\((.+)\)\.?$/s.exec(reason)
  return match ? { words: match[1]!, technical: match[2]! } : { words: reason, technical: null }
}

/** Why a card has no picture, or null where it has one or soon will. */
export function previewReason(asset: AssetSummary): string | null {
  if (asset.preview_state === 'ready' || asset.preview_state === 'pending')
    return asset.status === 'failed' ? asset.status_reason : null
  return asset.preview_reason ?? asset.status_reason ?? t`No preview for this kind of file.`
}
