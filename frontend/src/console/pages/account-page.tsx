import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDate } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import dialog from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read, sessionOptions } from '../lib/api.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import plain from '../parts/plain-list.module.css'
import { roleName } from '../parts/role-name.ts'
import { When } from '../parts/when.tsx'

/** One's own account: who one is here, and the keys one has given to programs. */
export default function AccountPage(): ReactNode {
  const operator = useQuery(sessionOptions).data?.operator
  const tokens = useQuery(read('tokens', 'listOpsTokens', {}))
  const client = useQueryClient()
  const [isMaking, setMaking] = useState(false)
  const revoke = useMutation({
    mutationFn: async (id: number) => {
      await api('revokeOpsToken', { params: { id } })
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  })
  return (
    <ConsolePage title={t`My account`}>
      {operator && (
        <Panel title={t`You`}>
          <Facts>
            <Fact name={t`User name`}>{operator.username}</Fact>
            <Fact name={t`Role now`}>{roleName(operator.role)}</Fact>
            <Fact name={t`Since`}>{formatDate(operator.createdAt)}</Fact>
            <Fact name={t`Password`}>
              <code className={plain.code}>./dam operator passwd {operator.username}</code>
            </Fact>
          </Facts>
        </Panel>
      )}
      <Panel
        title={t`API tokens`}
        description={t`A program that sends one may do what you may. Each ends by itself.`}
        tools={<Button look="outline" icon="add" onClick={() => setMaking(true)}>{t`Make a token…`}</Button>}
      >
        <Answer query={tokens}>
          {({ results }) =>
            results.length === 0 ? (
              <p className={plain.note}>{t`You have no token.`}</p>
            ) : (
              <ul className={plain.list}>
                {results.map((token) => (
                  <li key={token.id}>
                    <strong>{token.label}</strong>
                    <span>
                      {t`made on ${formatDate(token.createdAt)}`} · {t`ends on ${formatDate(token.expiresAt)}`} ·{' '}
                      {t`last used`} <When at={token.lastUsedAt} />
                    </span>
                    <Button
                      look="outline"
                      disabled={revoke.isPending}
                      aria-label={t`Revoke ${token.label}`}
                      onClick={() => revoke.mutate(token.id)}
                    >
                      {t`Revoke`}
                    </Button>
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
        <p role="alert">{revoke.error?.message}</p>
      </Panel>
      {isMaking && <TokenDialog onClose={() => setMaking(false)} />}
    </ConsolePage>
  )
}

const usualDays = 90

function TokenDialog({ onClose }: { onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [label, setLabel] = useState('')
  const [days, setDays] = useState(String(usualDays))
  const make = useMutation({
    mutationFn: async () =>
      (await api('createOpsToken', { body: { label: label.trim(), days: Number(days) } })).data.token,
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  })
  const isReady = label.trim() !== '' && Number(days) >= 1
  if (make.data !== undefined)
    return (
      <Dialog
        title={t`Your token`}
        description={t`It is shown only now. Keep it as you keep a password.`}
        onClose={onClose}
      >
        <div className={dialog.form}>
          <Field
            label={t`Token`}
            value={make.data}
            onChange={() => undefined}
            readOnly
            autoFocus
            onFocus={(event) => event.target.select()}
          />
          <p className={plain.note}>{t`Programs send it as`}</p>
          <code className={plain.code}>Authorization: Token …</code>
          <DialogActions error={null}>
            <Button look="primary" onClick={onClose}>{t`Done`}</Button>
          </DialogActions>
        </div>
      </Dialog>
    )
  return (
    <Dialog title={t`Make a token`} onClose={onClose}>
      <form
        className={dialog.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !make.isPending) make.mutate()
        }}
      >
        <Field label={t`What it is for`} value={label} onChange={setLabel} required autoFocus />
        <Field label={t`Days`} type="number" min={1} max={365} value={days} onChange={setDays} required />
        <DialogActions error={make.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || make.isPending}>{t`Make it`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
