import type { OnCallView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import form from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { api } from '../lib/api.ts'
import { Choice } from './choice.tsx'

type Kind = 'replace' | 'swap' | 'remove' | 'add'
const isKind = (text: string): text is Kind => ['replace', 'swap', 'remove', 'add'].includes(text)

const localNow = (addMs: number): string => {
  const at = new Date(Date.now() + addMs)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** One exception of the schedule. Times are those of the reader's clock. */
export function ExceptionDialog({ people, onClose }: { people: OnCallView['people']; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [kind, setKind] = useState<Kind>('replace')
  const [comes, setComes] = useState(people[0]?.id ?? '')
  const [goes, setGoes] = useState(people[1]?.id ?? people[0]?.id ?? '')
  const [from, setFrom] = useState(() => localNow(0))
  const [until, setUntil] = useState(() => localNow(86_400_000))
  const [note, setNote] = useState('')
  const save = useMutation({
    mutationFn: async () => {
      const stretch = { from: new Date(from).toISOString(), until: new Date(until).toISOString() }
      if (kind === 'swap') return void (await api('swapOnCall', { body: { one: comes, other: goes, ...stretch } }))
      const who = {
        ...(kind === 'remove' ? {} : { person: comes }),
        ...(kind === 'add' ? {} : { other: goes }),
      }
      await api('addOnCallException', { body: { kind, ...who, ...stretch, note: note.trim() } })
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['oncall'] })
      onClose()
    },
  })
  const names = people.map(({ id, name }) => [id, name] as const)
  const isReady = from !== '' && until > from && (kind === 'add' || kind === 'remove' || comes !== goes)
  return (
    <Dialog
      title={t`Change who is on call`}
      description={t`The rotation goes on afterwards as if nothing had been. The past is never rewritten.`}
      size="medium"
      onClose={onClose}
    >
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !save.isPending) save.mutate()
        }}
      >
        <Choice
          label={t`What`}
          value={kind}
          options={[
            ['replace', t`somebody instead of somebody`],
            ['swap', t`two people swap`],
            ['add', t`one more person`],
            ['remove', t`one person less`],
          ]}
          onChange={(value) => isKind(value) && setKind(value)}
        />
        {kind !== 'remove' && (
          <Choice label={kind === 'swap' ? t`One` : t`Comes`} value={comes} options={names} onChange={setComes} />
        )}
        {kind !== 'add' && (
          <Choice label={kind === 'swap' ? t`The other` : t`Goes`} value={goes} options={names} onChange={setGoes} />
        )}
        <Field label={t`From`} type="datetime-local" value={from} onChange={setFrom} required />
        <Field label={t`Until`} type="datetime-local" value={until} onChange={setUntil} required />
        {kind !== 'swap' && <Field label={t`Note`} value={note} onChange={setNote} />}
        <DialogActions error={save.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || save.isPending}>{t`Enter it`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
