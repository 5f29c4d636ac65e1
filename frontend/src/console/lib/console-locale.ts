import { i18n, type Messages } from '@lingui/core'
import { preferences, type Preferences } from '../../lib/preferences.ts'
import { createStore } from '../../lib/store.ts'

const catalogs: Record<Preferences['locale'], () => Promise<{ messages: Messages }>> = {
  en: () => import('../locales/en.po'),
  ru: () => import('../locales/ru.po'),
}

/** The language on screen; changes only once its messages are here. */
export const consoleLocale = createStore<Preferences['locale'] | null>(null)

export async function activateConsoleLocale(): Promise<void> {
  const { locale } = preferences.get()
  if (consoleLocale.get() === locale) return
  const { messages } = await catalogs[locale]()
  i18n.loadAndActivate({ locale, messages })
  document.documentElement.lang = locale
  consoleLocale.set(locale)
}

preferences.subscribe(() => void activateConsoleLocale())
