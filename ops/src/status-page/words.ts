import type { PublicState } from './public-update-store.ts'

export const locales = ['en', 'ru'] as const
export type Locale = (typeof locales)[number]
export type SystemState = 'works' | 'limited' | 'down' | 'maintenance' | 'unknown'

const english = {
  title: 'Status',
  systems: {
    works: 'Works',
    limited: 'Works, with limits',
    down: 'Does not work',
    maintenance: 'Under maintenance',
    unknown: 'Not known',
  } satisfies Record<SystemState, string>,
  summary: {
    works: 'Everything works.',
    limited: 'There is a problem; we are working on it.',
    down: 'The service does not answer. We are working on it.',
    maintenance: 'Maintenance is under way.',
    unknown: 'The state is not known at the moment.',
  } satisfies Record<SystemState, string>,
  updates: {
    investigating: 'Looking into it',
    identified: 'Cause found',
    watching: 'Fixed, watching',
    resolved: 'Over',
  } satisfies Record<PublicState, string>,
  now: 'Incidents now',
  past: 'Earlier incidents',
  none: 'No incident.',
  planned: 'Planned maintenance',
  nonePlanned: 'None planned.',
  uptime: 'Uptime in 90 days',
  uptimeOf: (share: string) => `${share} of the time that was measured`,
  uptimeUnknown: 'Not measured yet',
  dayUnknown: 'not measured',
  dayDown: (minutes: number) => `${minutes} min down`,
  dayUp: 'no outage',
  bars: (measured: number) => `A bar for each of 90 days, ${measured} of them measured`,
  daysWithOutage: 'Days with an outage',
  subscribe: 'Messages by e-mail',
  subscribeHint: 'One message for each update, no others. You confirm the address first.',
  email: 'E-mail address',
  ask: 'Subscribe',
  feed: 'Feed',
  data: 'As JSON',
  asOf: 'As of',
  other: 'По-русски',
  asked: 'If the address can be used, a message is on its way to it. Open the link in it to confirm.',
  badEmail: 'This is not an e-mail address.',
  tooMany: 'Too many tries. Wait an hour.',
  confirmQuestion: 'Send messages about incidents to this address?',
  confirmButton: 'Yes, subscribe',
  confirmed: 'Done. You get a message with each update.',
  leaveQuestion: 'Send no more messages to this address?',
  leaveButton: 'Unsubscribe',
  left: 'Done. You get no more messages.',
  badLink: 'This link is used up or too old.',
  back: 'To the status page',
  confirmMailTitle: (name: string) => `Confirm messages about ${name}`,
  confirmMailText: (name: string) =>
    `Somebody, probably you, asked for messages about incidents of ${name} to this address. Open the link to confirm. Without it nothing is sent and the address is forgotten after three days.`,
  confirmLink: 'Confirm',
  pageLink: 'Status page',
  leaveLink: 'Unsubscribe',
}

export type Words = typeof english

const russian: Words = {
  title: 'Состояние',
  systems: {
    works: 'Работает',
    limited: 'Работает с ограничениями',
    down: 'Не работает',
    maintenance: 'Обслуживание',
    unknown: 'Неизвестно',
  },
  summary: {
    works: 'Всё работает.',
    limited: 'Есть неполадка; мы ею занимаемся.',
    down: 'Сервис не отвечает. Мы этим занимаемся.',
    maintenance: 'Идёт обслуживание.',
    unknown: 'Состояние сейчас неизвестно.',
  },
  updates: {
    investigating: 'Разбираемся',
    identified: 'Причина найдена',
    watching: 'Исправлено, наблюдаем',
    resolved: 'Закончилось',
  },
  now: 'Неполадки сейчас',
  past: 'Прошлые неполадки',
  none: 'Неполадок нет.',
  planned: 'Плановое обслуживание',
  nonePlanned: 'Не запланировано.',
  uptime: 'Доступность за 90 дней',
  uptimeOf: (share) => `${share} измеренного времени`,
  uptimeUnknown: 'Ещё не измерялась',
  dayUnknown: 'не измерялось',
  dayDown: (minutes) => `не работало ${minutes} мин`,
  dayUp: 'без сбоев',
  bars: (measured) => `По столбцу на каждый из 90 дней, измерено ${measured}`,
  daysWithOutage: 'Дни со сбоями',
  subscribe: 'Сообщения по почте',
  subscribeHint: 'По одному письму на каждое обновление, других не будет. Сначала вы подтвердите адрес.',
  email: 'Адрес почты',
  ask: 'Подписаться',
  feed: 'Лента',
  data: 'В формате JSON',
  asOf: 'На момент',
  other: 'In English',
  asked: 'Если адрес годится, на него уже отправлено письмо. Откройте ссылку в нём, чтобы подтвердить.',
  badEmail: 'Это не адрес электронной почты.',
  tooMany: 'Слишком много попыток. Подождите час.',
  confirmQuestion: 'Присылать на этот адрес сообщения о неполадках?',
  confirmButton: 'Да, подписаться',
  confirmed: 'Готово. Вы получите письмо с каждым обновлением.',
  leaveQuestion: 'Больше не присылать сообщения на этот адрес?',
  leaveButton: 'Отписаться',
  left: 'Готово. Писем больше не будет.',
  badLink: 'Ссылка уже использована или устарела.',
  back: 'К странице состояния',
  confirmMailTitle: (name) => `Подтвердите сообщения о ${name}`,
  confirmMailText: (name) =>
    `Кто-то, вероятно вы, попросил присылать на этот адрес сообщения о неполадках ${name}. Откройте ссылку, чтобы подтвердить. Без этого ничего не отправляется, а адрес через три дня будет забыт.`,
  confirmLink: 'Подтвердить',
  pageLink: 'Страница состояния',
  leaveLink: 'Отписаться',
}

export const words: Record<Locale, Words> = { en: english, ru: russian }

/** The first language the reader takes that there is; `asked` from the address comes first. */
export function chooseLocale(asked: unknown, acceptLanguage: string | undefined): Locale {
  const isKnown = (tag: string): tag is Locale => locales.some((locale) => locale === tag)
  if (typeof asked === 'string' && isKnown(asked)) return asked
  const wanted = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...options] = part.trim().split(';')
      const quality = Number(
        options
          .find((option) => option.trim().startsWith('q='))
          ?.trim()
          .slice(2) ?? 1,
      )
      return { tag: tag.slice(0, 2).toLowerCase(), quality: Number.isFinite(quality) ? quality : 0 }
    })
    .toSorted((a, b) => b.quality - a.quality)
  for (const { tag, quality } of wanted) if (quality > 0 && isKnown(tag)) return tag
  return 'en'
}
