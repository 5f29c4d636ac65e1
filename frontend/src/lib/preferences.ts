import { createStore, type Store } from './store.ts'

export type Theme = 'auto' | 'light' | 'dark'
export type Preferences = {
  theme: Theme
  locale: 'en' | 'ru'
  rowHeight: number
  sidebar: 'open' | 'closed'
  panel: 'open' | 'closed'
}

const storageKey = 'dam.preferences'

export function defaultPreferences(languages: readonly string[]): Preferences {
  const locale = languages.find((language) => /^(ru|en)\b/.test(language))?.startsWith('ru') ? 'ru' : 'en'
  return { theme: 'auto', locale, rowHeight: 208, sidebar: 'open', panel: 'open' }
}

function read(): Preferences {
  const defaults = defaultPreferences(navigator.languages)
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Preferences>
    return {
      theme: stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'auto',
      locale: stored.locale === 'en' || stored.locale === 'ru' ? stored.locale : defaults.locale,
      rowHeight:
        typeof stored.rowHeight === 'number' && stored.rowHeight >= 96 && stored.rowHeight <= 400
          ? stored.rowHeight
          : defaults.rowHeight,
      sidebar: stored.sidebar === 'closed' ? 'closed' : 'open',
      panel: stored.panel === 'closed' ? 'closed' : 'open',
    }
  } catch {
    return defaults
  }
}

export const preferences: Store<Preferences> = createStore(read())

export function applyTheme(): void {
  const { theme } = preferences.get()
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

preferences.subscribe(() => {
  applyTheme()
  try {
    localStorage.setItem(storageKey, JSON.stringify(preferences.get()))
  } catch {
    // Storage may be full or forbidden; the choice then lasts as long as the page.
  }
})

export function setPreference<K extends keyof Preferences>(key: K, value: Preferences[K]): void {
  preferences.set((current) => ({ ...current, [key]: value }))
}
