import type { OnCallView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime, formatWait } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import { ExceptionDialog } from '../parts/exception-dialog.tsx'
import { OnCallCalendar } from '../parts/oncall-calendar.tsx'
import plain from '../parts/plain-list.module.css'
import { Status } from '../parts/status.tsx'
import { TextArea } from '../parts/text-area.tsx'
import styles from './oncall-page.module.css'

export default function OnCallPage(): ReactNode {
  const [wanted, setWeeks] = useSearch('weeks')
  const weeks = wanted === '4' ? 4 : 8
  const query = useQuery({ ...read('oncall', 'getOnCall', { query: { weeks } }), refetchInterval: 60_000 })
  return (
    <ConsolePage
      title={t`On call`}
      lead={t`Who is called when something breaks, and who comes next.`}
      tools={
        <Choice
          label={t`Show`}
          value={String(weeks)}
          options={[
            ['4', t`4 weeks`],
            ['8', t`8 weeks`],
          ]}
          onChange={setWeeks}
        />
      }
    >
      <Answer query={query}>{(view) => <OnCall view={view} />}</Answer>
    </ConsolePage>
  )
}

function OnCall({ view }: { view: OnCallView }): ReactNode {
  const mayAct = useMay('operator')
  const [isExcepting, setExcepting] = useState(false)
  const nameOf = (id: string): string => view.people.find((person) => person.id === id)?.name ?? id
  return (
    <>
      <Panel
        title={t`Now`}
        tools={
          mayAct && view.people.length > 0 ? (
            <Button look="outline" icon="calendar" onClick={() => setExcepting(true)}>{t`Change…`}</Button>
          ) : undefined
        }
      >
        <Facts>
          <Fact name={t`Primary`}>
            <Person view={view} id={view.now.primary} />
          </Fact>
          <Fact name={t`Secondary`}>
            <Person view={view} id={view.now.secondary} />
          </Fact>
          {view.now.also.map((id) => (
            <Fact key={id} name={t`Also`}>
              <Person view={view} id={id} />
            </Fact>
          ))}
          {view.now.until && <Fact name={t`Until`}>{formatDateTime(view.now.until)}</Fact>}
        </Facts>
        {view.people.length === 0 && (
          <p className={styles.hint}>
            {t`Nobody is entered: alerts reach the channels only. Add people, the rotation and the levels to the policy and name the file with`}{' '}
            <code>DAM_POLICY</code>; <code>./dam policy check</code>
          </p>
        )}
      </Panel>
      {view.gaps.length > 0 && (
        <Panel title={t`Nobody is on call`} description={t`Within the coming ${view.coverageDays} days.`}>
          <ul className={plain.list}>
            {view.gaps.map((gap) => (
              <li key={gap.from}>
                <Status tone="bad">{t`Gap`}</Status>
                <span>
                  {formatDateTime(gap.from)} – {formatDateTime(gap.until)}
                </span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {view.people.length > 0 && (
        <Panel title={t`Calendar`} description={t`Days of ${view.zone}.`}>
          <OnCallCalendar view={view} nameOf={nameOf} />
        </Panel>
      )}
      <Exceptions view={view} nameOf={nameOf} mayAct={mayAct} />
      <Levels view={view} nameOf={nameOf} />
      <Notes view={view} mayAct={mayAct} />
      {view.people.length > 0 && <Feed view={view} />}
      {isExcepting && <ExceptionDialog people={view.people} onClose={() => setExcepting(false)} />}
    </>
  )
}

function Person({ view, id }: { view: OnCallView; id: string | null }): ReactNode {
  if (id === null) return <Status tone={view.people.length === 0 ? 'neutral' : 'warning'}>{t`nobody`}</Status>
  const person = view.people.find((one) => one.id === id)
  if (!person) return id
  return (
    <span className={styles.person}>
      <strong>{person.name}</strong>
      {id === view.me && <Status tone="running" icon="user">{t`that is you`}</Status>}
      {person.phone && <a href={`tel:${person.phone.replaceAll(/[^+\d]/g, '')}`}>{person.phone}</a>}
      <a href={`mailto:${person.email}`}>{person.email}</a>
    </span>
  )
}

const kindWords = (kind: OnCallView['exceptions'][number]['kind'], person: string, other: string): string =>
  ({
    temporary: t`${person} and ${other} alone`,
    replace: t`${person} instead of ${other}`,
    remove: t`without ${other}`,
    add: t`${person} as well`,
  })[kind]

function Exceptions({
  view,
  nameOf,
  mayAct,
}: {
  view: OnCallView
  nameOf: (id: string) => string
  mayAct: boolean
}): ReactNode {
  const client = useQueryClient()
  const cancel = useMutation({
    mutationFn: async (id: number) => {
      await api('cancelOnCallException', { params: { id } })
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['oncall'] }),
  })
  if (view.exceptions.length === 0) return null
  return (
    <Panel title={t`Exceptions`}>
      <ul className={plain.list}>
        {view.exceptions.map((one) => {
          const words = kindWords(one.kind, nameOf(one.person ?? '?'), nameOf(one.other ?? '?'))
          return (
            <li key={one.id}>
              <strong>{words}</strong>
              <span>
                {formatDateTime(one.from)} – {formatDateTime(one.until)} · <bdi>{one.by}</bdi>
                {one.note && `: ${one.note}`}
              </span>
              {mayAct && (
                <Button
                  look="outline"
                  disabled={cancel.isPending}
                  aria-label={t`End: ${words}`}
                  onClick={() => cancel.mutate(one.id)}
                >
                  {t`End it now`}
                </Button>
              )}
            </li>
          )
        })}
      </ul>
      <p role="alert">{cancel.error?.message}</p>
    </Panel>
  )
}

function Levels({ view, nameOf }: { view: OnCallView; nameOf: (id: string) => string }): ReactNode {
  return (
    <Panel title={t`Escalation`}>
      <ol className={plain.list}>
        {view.levels.map((level) => (
          <li key={level.level}>
            <strong>
              {t`Level ${level.level}`}: {level.title}
            </strong>
            <span>
              {level.afterMs === 0 ? t`at once` : t`after ${formatWait(level.afterMs / 1_000)}`} ·{' '}
              {t`answers within ${formatWait(level.respondWithinMs / 1_000)}`} ·{' '}
              {level.people === null
                ? t`whoever is on call`
                : level.people.length === 0
                  ? t`nobody is entered yet`
                  : level.people.map(nameOf).join(', ')}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

function Notes({ view, mayAct }: { view: OnCallView; mayAct: boolean }): ReactNode {
  const client = useQueryClient()
  const [text, setText] = useState('')
  const add = useMutation({
    mutationFn: async () => {
      await api('addHandoffNote', { body: { text: text.trim() } })
    },
    onSuccess: () => {
      setText('')
      return client.invalidateQueries({ queryKey: ['oncall'] })
    },
  })
  return (
    <Panel title={t`Hand-off notes`} description={t`For whoever comes next.`}>
      {view.notes.length === 0 && <p className={plain.note}>{t`No notes yet.`}</p>}
      <ul className={styles.notes}>
        {view.notes.map((note) => (
          <li key={note.id}>
            <span className={plain.note}>
              <bdi>{note.by}</bdi> · <time dateTime={note.at}>{formatDateTime(note.at)}</time>
            </span>
            <p>{note.text}</p>
          </li>
        ))}
      </ul>
      {mayAct && (
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault()
            if (text.trim() && !add.isPending) add.mutate()
          }}
        >
          <TextArea label={t`New note`} value={text} onChange={setText} />
          <p role="alert">{add.error?.message}</p>
          <div>
            <Button look="outline" type="submit" disabled={!text.trim() || add.isPending}>{t`Leave the note`}</Button>
          </div>
        </form>
      )}
    </Panel>
  )
}

function Feed({ view }: { view: OnCallView }): ReactNode {
  const [person, setPerson] = useState(view.me ?? '')
  const make = useMutation({
    mutationFn: async () => (await api('makeCalendarFeed', { body: person ? { person } : {} })).data,
  })
  return (
    <Panel
      title={t`In your calendar`}
      description={t`An address that calendars read by themselves. It holds a key: whoever has it sees the schedule. Making a new one ends your earlier one.`}
    >
      <div className={styles.feed}>
        <Choice
          label={t`Shifts of`}
          value={person}
          options={[['', t`everybody`], ...view.people.map(({ id, name }) => [id, name] as const)]}
          onChange={setPerson}
        />
        <Button look="outline" icon="link" disabled={make.isPending} onClick={() => make.mutate()}>
          {t`Make the address`}
        </Button>
      </div>
      <p role="alert">{make.error?.message}</p>
      <p role="status">{make.data && <code className={styles.url}>{make.data.url}</code>}</p>
    </Panel>
  )
}
