import type { RunbookEntry, RunbookView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import { read } from '../lib/api.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import styles from './runbook-page.module.css'

export default function RunbookPage(): ReactNode {
  const runbook = useQuery(read('runbook', 'getRunbook', {}))
  return (
    <ConsolePage
      title={t`Runbook`}
      lead={t`Made from the policy and the commands there are: it cannot say anything else than they do.`}
    >
      <Answer query={runbook}>{(view) => <Runbook view={view} />}</Answer>
    </ConsolePage>
  )
}

const anchor = (title: string): string => title.toLowerCase().replaceAll(/[^a-z]+/g, '-')

function Runbook({ view }: { view: RunbookView }): ReactNode {
  return (
    <>
      <nav className={styles.contents} aria-label={t`Chapters`}>
        <ol>
          {view.chapters.map(({ title }) => (
            <li key={title}>
              <a href={`#${anchor(title)}`}>{title}</a>
            </li>
          ))}
        </ol>
        <p>
          {t`Policy`} <code>{view.hash}</code> · <code>./dam policy explain</code> · <code>./dam runbook</code>
        </p>
      </nav>
      {view.chapters.map(({ title, sections }) => (
        <section key={title} className={styles.chapter} aria-labelledby={anchor(title)} lang="en">
          <h2 id={anchor(title)} tabIndex={-1}>
            {title}
          </h2>
          {sections.map((section) => (
            <div key={section.title} className={styles.section}>
              <h3>{section.title}</h3>
              <ul>
                {section.entries.map((entry) => (
                  <Entry key={`${entry.text} ${entry.command ?? ''}`} entry={entry} />
                ))}
              </ul>
            </div>
          ))}
        </section>
      ))}
    </>
  )
}

function Entry({ entry: { text, note, instead, command, page, url } }: { entry: RunbookEntry }): ReactNode {
  return (
    <li>
      <span>{page ? <Link to={page}>{text}</Link> : url ? <a href={url}>{text}</a> : text}</span>
      {note && <small>{note}</small>}
      {command && <code>{command}</code>}
      {instead && instead !== command && (
        <small>
          {t`instead of`} <code>{instead}</code>
        </small>
      )}
    </li>
  )
}
