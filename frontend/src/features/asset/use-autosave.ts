import { t } from '@lingui/core/macro'
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, isCode, messageOf } from '../../lib/api.ts'
import { patchPages, updateLists } from '../../lib/asset-lists.ts'
import { isRetryable } from '../../lib/query-client.ts'
import { showToast } from '../../lib/toasts.ts'
import { assetOptions, type AssetVersion } from './asset-query.ts'
import { changesBetween, draftOf, mergeDrafts, type Conflict, type Draft } from './edit-draft.ts'

export type SaveState = 'untouched' | 'saved' | 'changed' | 'saving' | 'waiting' | 'failed'
export type OpenConflict = { conflicts: Conflict[]; merged: Draft; theirs: AssetVersion }

const debounceMs = 700
const retryMs = 3000

/**
 * Edits of one asset, saved by themselves a moment after the last key. Saves follow one another; each names the version it
 * is based on. A change by someone else is merged where both can stand, and asked about where they cannot.
 */
export function useAutosave(version: AssetVersion) {
  const client = useQueryClient()
  const { id } = version.asset
  const [draft, setDraftState] = useState<Draft>(() => draftOf(version.asset))
  const [state, setState] = useState<SaveState>('untouched')
  const [error, setError] = useState<string | null>(null)
  const [conflict, setConflict] = useState<OpenConflict | null>(null)
  const live = useRef({ draft, base: version, saving: false, timer: 0, mounted: true })

  const accept = useCallback(
    (next: AssetVersion) => {
      live.current.base = next
      client.setQueryData(assetOptions(id).queryKey, next)
      updateLists(client, (data) => patchPages(data, new Map([[id, next.asset]])))
    },
    [client, id],
  )

  const save = useCallback(async (): Promise<void> => {
    const now = live.current
    clearTimeout(now.timer)
    if (now.saving) return
    const changes = changesBetween(draftOf(now.base.asset), now.draft)
    if (Object.keys(changes).length === 0) {
      if (now.mounted) setState((current) => (current === 'untouched' ? current : 'saved'))
      return
    }
    now.saving = true
    if (now.mounted) setState('saving')
    const before = draftOf(now.base.asset)
    try {
      const { data, etag } = await api(
        'updateAsset',
        { params: { id }, body: changes },
        now.base.etag ? { headers: { 'If-Match': now.base.etag } } : {},
      )
      now.saving = false
      accept({ asset: data, etag })
      if (changes.tags) void client.invalidateQueries({ queryKey: ['tags'] })
      if (now.mounted) {
        setError(null)
        // What the server tidied (spaces, repeated tags) is shown unless typing went on.
        const isSettled = Object.keys(changesBetween(draftOf(data), now.draft)).length === 0
        setState(isSettled ? 'saved' : 'changed')
      }
      showToast({
        message: savedMessage(changes),
        lastsMs: 6000,
        action: { label: t`Undo`, run: () => void restore(before, changes) },
      })
      if (Object.keys(changesBetween(draftOf(data), now.draft)).length > 0) void save()
    } catch (reason) {
      now.saving = false
      if (isCode(reason, 'edit-conflict')) await reconcile(before)
      else if (isRetryable(reason)) {
        if (now.mounted) setState('waiting')
        now.timer = window.setTimeout(() => void save(), retryMs)
      } else {
        if (now.mounted) {
          setState('failed')
          setError(messageOf(reason))
        } else showToast({ tone: 'danger', message: t`Your change was not saved`, detail: messageOf(reason) })
      }
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- restore and reconcile call save in turn and read the same refs
  }, [accept, client, id])

  const setDraft = useCallback(
    (change: Partial<Draft>, atOnce = false) => {
      live.current.draft = { ...live.current.draft, ...change }
      setDraftState(live.current.draft)
      setState('changed')
      clearTimeout(live.current.timer)
      live.current.timer = window.setTimeout(() => void save(), atOnce ? 0 : debounceMs)
    },
    [save],
  )

  /** Puts back what one save replaced, and only that. */
  const restore = useCallback(
    async (before: Draft, changes: Partial<Draft>): Promise<void> => {
      const back = Object.fromEntries(
        Object.keys(changes).map((field) => [field, before[field as keyof Draft]]),
      ) as Partial<Draft>
      if (live.current.mounted) return setDraft(back, true)
      try {
        const { data, etag } = await api('updateAsset', { params: { id }, body: back })
        accept({ asset: data, etag })
      } catch (reason) {
        showToast({ tone: 'danger', message: t`Could not undo`, detail: messageOf(reason) })
      }
    },
    [accept, id, setDraft],
  )

  const reconcile = async (base: Draft): Promise<void> => {
    const { data, etag } = await api('getAsset', { params: { id } })
    const { merged, conflicts } = mergeDrafts(base, live.current.draft, draftOf(data))
    accept({ asset: data, etag })
    if (conflicts.length > 0) {
      setConflict({ conflicts, merged, theirs: { asset: data, etag } })
      return
    }
    live.current.draft = merged
    setDraftState(merged)
    showToast({ message: t`Someone else edited this asset too; both changes are kept` })
    await save()
  }

  const resolve = (chosen: Draft): void => {
    setConflict(null)
    setDraft(chosen, true)
  }

  // News from elsewhere is shown as long as nothing here waits to be saved.
  useEffect(() => {
    const now = live.current
    if (now.saving || Object.keys(changesBetween(draftOf(now.base.asset), now.draft)).length > 0) return
    now.base = version
    now.draft = draftOf(version.asset)
    setDraftState(now.draft)
  }, [version])

  useEffect(() => {
    live.current.mounted = true
    const now = live.current
    return () => {
      now.mounted = false
      void save()
    }
  }, [save])

  return { draft, setDraft, state, error, conflict, resolve, retry: () => void save(), flush: () => void save() }
}

function savedMessage(changes: Partial<Draft>): string {
  const fields = Object.keys(changes)
  if (fields.length > 1) return t`Changes saved`
  return fields[0] === 'label' ? t`Title saved` : fields[0] === 'tags' ? t`Tags saved` : t`Description saved`
}

export type Editing = ReturnType<typeof useAutosave>
