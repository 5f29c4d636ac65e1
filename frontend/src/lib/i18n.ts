import { i18n, type Messages } from '@lingui/core'
import { preferences, type Preferences } from './preferences.ts'
import { createStore } from './store.ts'

const catalogs: Record<Preferences['locale'], () => Promise<{ messages: Messages }>> = {
  en: () => import('../locales/en.po'),
  ru: () => import('../locales/ru.po'),
}

/** The language on screen; changes only once its messages are here. */
export const activeLocale = createStore<Preferences['locale'] | null>(null)

export async function activateLocale(): Promise<void> {
  const { locale } = preferences.get()
  if (activeLocale.get() === locale) return
  const { messages } = await catalogs[locale]()
  i18n.loadAndActivate({ locale, messages })
  document.documentElement.lang = locale
  activeLocale.set(locale)
}

preferences.subscribe(() => void activateLocale())
