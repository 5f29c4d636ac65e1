import type { OperatorRole, OperatorView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDate } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import dialog from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { api, read } from '../lib/api.ts'
import { roleName } from '../parts/role-name.ts'
import { Choice } from '../parts/choice.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import rows from '../parts/rows.module.css'
import { Status } from '../parts/status.tsx'

const roles: readonly OperatorRole[] = ['viewer', 'operator', 'administrator']
const roleOptions = () => roles.map((role) => [role, roleName(role)] as const)

export default function OperatorsPage(): ReactNode {
  const operators = useQuery(read('operators', 'listOperators', {}))
  const [isAdding, setAdding] = useState(false)
  return (
    <ConsolePage
      title={t`Operators`}
      lead={t`The people of this console. They are not DAM's users, so that they can sign in while DAM is down.`}
      tools={<Button look="primary" icon="add" onClick={() => setAdding(true)}>{t`Add an operator`}</Button>}
    >
      <Answer query={operators}>
        {({ results }) => (
          <ul className={rows.rows}>
            {results.map((operator) => (
              <OperatorRow key={operator.id} operator={operator} />
            ))}
          </ul>
        )}
      </Answer>
      {isAdding && <AddDialog onClose={() => setAdding(false)} />}
    </ConsolePage>
  )
}

function OperatorRow({ operator }: { operator: OperatorView }): ReactNode {
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (body: { role?: OperatorRole; active?: boolean }) =>
      api('updateOperator', { params: { id: operator.id }, body }),
    onSettled: () => client.invalidateQueries({ queryKey: ['operators'] }),
  })
  return (
    <li className={rows.row}>
      <span className={rows.main}>
        <strong>
          <bdi>{operator.displayName || operator.username}</bdi>
        </strong>
        {!operator.active && <Status tone="neutral" icon="pause">{t`closed`}</Status>}
      </span>
      <span className={rows.note}>
        {operator.username} · {t`since ${formatDate(operator.createdAt)}`}
        {change.error && <span role="alert"> · {change.error.message}</span>}
      </span>
      <span className={rows.side}>
        <Choice
          label={t`Role`}
          name={t`Role of ${operator.username}`}
          value={operator.role}
          options={roleOptions()}
          onChange={(role) => change.mutate({ role: role as OperatorRole })}
        />
        <Button
          look="outline"
          onClick={() => change.mutate({ active: !operator.active })}
          aria-label={
            operator.active ? t`Close the account of ${operator.username}` : t`Open the account of ${operator.username}`
          }
        >
          {operator.active ? t`Close` : t`Open`}
        </Button>
      </span>
    </li>
  )
}

function AddDialog({ onClose }: { onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<OperatorRole>('operator')
  const add = useMutation({
    mutationFn: () => api('createOperator', { body: { username: username.trim(), password, role } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['operators'] })
      onClose()
    },
  })
  return (
    <Dialog title={t`Add an operator`} onClose={onClose}>
      <form
        className={dialog.form}
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <Field label={t`User name`} value={username} onChange={setUsername} autoComplete="off" required />
        <Field
          label={t`Password`}
          hint={t`At least 10 characters. A few unrelated words are easy to remember.`}
          type="password"
          autoComplete="new-password"
          minLength={10}
          value={password}
          onChange={setPassword}
          required
        />
        <Choice
          label={t`Role`}
          value={role}
          options={roleOptions()}
          onChange={(value) => setRole(value as OperatorRole)}
        />
        <DialogActions error={add.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={add.isPending}>{t`Add`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
