import { createStore } from './store.ts'

export type Toast = {
  id: number
  tone: 'neutral' | 'success' | 'danger'
  message: string
  detail?: string
  action?: { label: string; run: () => void }
  lastsMs: number
}

export const toasts = createStore<Toast[]>([])
let lastId = 0

/** Errors and anything with an action stay long enough to be read and reached with the keyboard. */
export function showToast(
  toast: Omit<Toast, 'id' | 'lastsMs' | 'tone'> & { tone?: Toast['tone']; lastsMs?: number },
): number {
  const id = ++lastId
  const lastsMs = toast.lastsMs ?? (toast.action || toast.tone === 'danger' ? 10_000 : 4_000)
  toasts.set((current) => [...current.slice(-2), { tone: 'neutral', ...toast, id, lastsMs }])
  return id
}

export function dismissToast(id: number): void {
  toasts.set((current) => current.filter((toast) => toast.id !== id))
}
