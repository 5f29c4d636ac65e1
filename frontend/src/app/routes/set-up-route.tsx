import { t } from '@lingui/core/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { api, ApiError } from '../../lib/api.ts'
import { navigate, useLocation } from '../../lib/navigation.ts'
import { sessionOptions } from '../../lib/session.ts'
import { useTitle } from '../../lib/use-title.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Mark } from '../../ui/icon.tsx'
import styles from '../../ui/door.module.css'

const shortestPassword = 10

export default function SetUpRoute(): ReactNode {
  useTitle(t`Set up`)
  const { search } = useLocation()
  const client = useQueryClient()
  const [token, setToken] = useState(new URLSearchParams(search).get('token') ?? '')
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const hadToken = new URLSearchParams(search).has('token')
  const setUp = useMutation({
    mutationFn: async () =>
      (await api('setUp', { body: { token: token.trim(), username: username.trim(), password } })).data,
    onSuccess: async () => {
      await client.refetchQueries({ queryKey: sessionOptions.queryKey })
      navigate('/dam/gallery', { replace: true })
    },
  })
  const problem = setUp.error instanceof ApiError ? setUp.error : null
  return (
    <main className={styles.door}>
      <form
        className={styles.card}
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() && username.trim() && password.length >= shortestPassword) setUp.mutate()
        }}
      >
        <Mark size={44} />
        <h1>{t`Welcome to DAM`}</h1>
        <p className={styles.lead}>{t`Create the first administrator. You can add more people later.`}</p>
        {!hadToken && (
          <Field
            label={t`Set-up code`}
            hint={t`The part after “token=” in the link that DAM printed when it started.`}
            value={token}
            onChange={setToken}
            name="token"
            autoComplete="off"
            required
          />
        )}
        <Field
          label={t`User name`}
          value={username}
          onChange={setUsername}
          name="username"
          autoComplete="username"
          autoFocus
          required
          error={problem?.fields['username']?.[0]}
        />
        <Field
          label={t`Password`}
          hint={t`At least 10 characters. A few unrelated words are easy to remember.`}
          value={password}
          onChange={setPassword}
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={shortestPassword}
          required
          error={problem?.fields['password']?.[0]}
        />
        <p role="alert" className={styles.error}>
          {setUp.error?.message}
        </p>
        <Button look="primary" type="submit" disabled={setUp.isPending}>
          {setUp.isPending ? t`Creating…` : t`Create and sign in`}
        </Button>
      </form>
    </main>
  )
}
