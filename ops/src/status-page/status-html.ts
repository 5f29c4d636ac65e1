import { createHash } from 'node:crypto'
import { type Html, html, raw } from './html.ts'
import type { PublicIncident } from './public-update-store.ts'
import type { StatusSystem, StatusView } from './status-view.ts'
import { type Locale, type Words, words } from './words.ts'

const style = `
:root{color-scheme:light dark;--ink:light-dark(#16191a,#eef1f1);--soft:light-dark(#4c5455,#b0b9ba);--canvas:light-dark(#fbfbfa,#131516);--surface:light-dark(#fff,#1a1d1e);--line:light-dark(#e3e5e4,#2c3132);--strong:light-dark(#878f8f,#6f797a);--accent:light-dark(#0b666c,#5cc4c8);--on:light-dark(#fff,#04191a);--good:light-dark(#1d6b3a,#6fce92);--warn:light-dark(#855200,#f0b455);--bad:light-dark(#b3261e,#ff8b81)}
*{box-sizing:border-box;margin:0}
body{font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',sans-serif;color:var(--ink);background:var(--canvas);-webkit-text-size-adjust:100%}
main,header,footer{width:min(46rem,100%);margin-inline:auto;padding-inline:1.1rem}
header{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:.3rem 1rem;padding-block:2rem 1rem}
h1{font-size:1.05rem;font-weight:600;color:var(--soft)}
h2{font-size:1.15rem;margin-block:2.4rem .7rem;letter-spacing:-.01em}
h3{font-size:1rem;overflow-wrap:anywhere}
a{color:var(--accent);text-underline-offset:3px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.say{font-size:clamp(1.6rem,5vw,2.2rem);font-weight:650;letter-spacing:-.025em;line-height:1.2;text-wrap:balance}
.say::before{content:'';display:inline-block;width:.62em;height:.62em;margin-inline-end:.45em;border-radius:50%;background:var(--soft)}
.works::before{background:var(--good)}.limited::before,.maintenance::before{background:var(--warn)}.down::before{background:var(--bad);border-radius:.12em}
.box{padding:1rem 1.1rem;border-radius:14px;background:var(--surface);box-shadow:0 0 0 1px var(--line)}
.box+.box{margin-block-start:.7rem}
.top{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.2rem 1rem}
.soft,time{color:var(--soft);font-size:.85rem}
svg{display:block;width:100%;height:34px;margin-block:.6rem .3rem}
.up{fill:var(--good)}.part{fill:var(--warn)}.out{fill:var(--bad)}.none{fill:var(--line)}
ol,ul{padding:0;list-style:none}
ol li{margin-block-start:.7rem;overflow-wrap:anywhere}
ol p{white-space:pre-line}
details{margin-block-start:.3rem;font-size:.9rem}
summary{min-height:1.6rem;cursor:pointer;color:var(--soft)}
form{display:grid;gap:.4rem}
label{font-weight:550}
.line{display:flex;flex-wrap:wrap;gap:.5rem}
input{flex:1 1 14rem;min-width:0;min-height:44px;padding-inline:.8rem;border:1px solid var(--strong);border-radius:8px;background:var(--canvas);color:inherit;font:inherit}
button{min-height:44px;padding-inline:1.2rem;border:0;border-radius:8px;background:var(--accent);color:var(--on);font:inherit;font-weight:600;cursor:pointer}
footer{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;padding-block:2.4rem 3rem;font-size:.9rem;color:var(--soft)}
.bad{color:var(--bad)}
`

/** No script, no inline attribute, nothing from elsewhere: even a mistake in escaping could run nothing. */
export const statusPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

export type Place = { name: string; locale: Locale }

function page(place: Place, title: string, body: Html): string {
  const feed = html`<link rel="alternate" type="application/atom+xml" href="/status.atom" />`
  return `<!doctype html>\n${
    html`<html lang="${place.locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <meta name="robots" content="noarchive" />
        ${feed}
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html> `.html
  }`
}

const moment = (at: string): Html => html`<time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>`

/** The end of a stretch: its day only where that is another one. */
const until = (from: string, to: string): Html =>
  from.slice(0, 10) === to.slice(0, 10) ? html`<time datetime="${to}">${to.slice(11, 16)} UTC</time>` : moment(to)

const percent = (share: number, locale: Locale): string =>
  new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 3 }).format(
    // 99.9996 % is not 100 %.
    share === 1 ? 1 : Math.floor(share * 100_000) / 100_000,
  )

export function statusPage(status: StatusView, place: Place, notice: { text: string; isBad: boolean } | null): string {
  const { locale } = place
  const say = words[locale]
  const [now, past] = [
    status.incidents.filter(({ isOver }) => !isOver),
    status.incidents.filter(({ isOver }) => isOver),
  ]
  const otherLocale = locale === 'en' ? 'ru' : 'en'
  const several = status.systems.length > 1
  return page(
    place,
    `${place.name} – ${say.title}`,
    html`<header>
        <h1>${place.name} · ${say.title}</h1>
        <a href="/status?lang=${otherLocale}" lang="${otherLocale}" hreflang="${otherLocale}">${say.other}</a>
      </header>
      <main>
        <p class="say ${status.state}">${say.summary[status.state]}</p>
        <p class="soft">${say.asOf} ${moment(status.at)}</p>
        ${notice ? html`<p role="status" class="box ${notice.isBad ? 'bad' : ''}">${notice.text}</p>` : null}
        <h2>${say.now}</h2>
        ${now.length === 0 ? html`<p>${say.none}</p>` : now.map((one) => incident(one, say))}
        <h2>${say.planned}</h2>
        ${
          status.windows.length === 0
            ? html`<p>${say.nonePlanned}</p>`
            : html`<ul class="box">
                ${status.windows.map((window) => html`<li class="top"><span>${window.name}</span><span>${moment(window.from)}${window.until === null ? null : html` – ${until(window.from, window.until)}`}</span></li>`)}
              </ul>`
        }
        <h2>${say.uptime}</h2>
        ${status.systems.map((system) => uptime(system, say, locale, several))}
        ${
          past.length === 0
            ? null
            : html`<h2>${say.past}</h2>
                ${past.map((one) => incident(one, say))}`
        }
        <h2 id="subscribe">${say.subscribe}</h2>
        <form class="box" method="post" action="/status/subscribe?lang=${locale}">
          <label for="email">${say.email}</label>
          <div class="line">
            <input
              id="email"
              name="email"
              type="email"
              autocomplete="email"
              required
              maxlength="254"
              aria-describedby="hint"
            /><button>${say.ask}</button>
          </div>
          <p class="soft" id="hint">${say.subscribeHint}</p>
        </form>
      </main>
      <footer><a href="/status.atom">${say.feed}</a><a href="/status.json">${say.data}</a></footer>`,
  )
}

function incident({ title, openedAt, updates }: PublicIncident, say: Words): Html {
  return html`<article class="box">
    <div class="top">
      <h3>${title}</h3>
      ${moment(openedAt)}
    </div>
    <ol>
      ${updates.toReversed().map(
        (update) =>
          html`<li>
            <strong>${say.updates[update.state]}</strong> ${moment(update.at)}
            <p>${update.text}</p>
          </li>`,
      )}
    </ol>
  </article>`
}

const barWidth = 8
const gap = 2

function uptime(system: StatusSystem, say: Words, locale: Locale, several: boolean): Html {
  const { days, up } = system.uptime
  const measured = days.filter((day) => day.up !== null).length
  const outages = days.filter(({ downSeconds }) => downSeconds > 0)
  const minutes = (seconds: number): number => Math.max(1, Math.round(seconds / 60))
  const bars = days.map((day, index) => {
    const kind = day.up === null ? 'none' : day.downSeconds === 0 ? 'up' : day.up >= 0.99 ? 'part' : 'out'
    const words =
      day.up === null ? say.dayUnknown : day.downSeconds === 0 ? say.dayUp : say.dayDown(minutes(day.downSeconds))
    return html`<rect class="${kind}" x="${index * (barWidth + gap)}" y="0" width="${barWidth}" height="34" rx="2"
      ><title>${day.day}: ${words}</title></rect
    >`
  })
  const width = days.length * (barWidth + gap) - gap
  return html`<section class="box">
    <div class="top">
      ${several ? html`<h3>${system.name}</h3>` : html`<strong>${say.systems[system.state]}</strong>`}<span
        >${up === null ? say.uptimeUnknown : say.uptimeOf(percent(up, locale))}</span
      >
    </div>
    <svg viewBox="0 0 ${width} 34" preserveAspectRatio="none" role="img" aria-label="${say.bars(measured)}">
      ${bars}
    </svg>
    ${
      outages.length === 0
        ? null
        : html`<details>
            <summary>${say.daysWithOutage}</summary>
            <ul>
              ${outages.map((day) => html`<li>${day.day}: ${say.dayDown(minutes(day.downSeconds))}</li>`)}
            </ul>
          </details>`
    }
  </section>`
}

/** A page that says one thing, and asks for a click where the link alone must not do it: mail scanners open links. */
export function wordPage(place: Place, options: { text: string; button?: { label: string; action: string } }): string {
  const say = words[place.locale]
  return page(
    place,
    `${place.name} – ${say.title}`,
    html`<header><h1>${place.name} · ${say.title}</h1></header>
      <main>
        <p class="say">${options.text}</p>
        ${
          options.button
            ? html`<form method="post" action="${options.button.action}">
                <p class="line"><button>${options.button.label}</button></p>
              </form>`
            : null
        }
      </main>
      <footer><a href="/status?lang=${place.locale}">${say.back}</a></footer>`,
  )
}
