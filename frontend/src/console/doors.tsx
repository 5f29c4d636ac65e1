import { t } from '@lingui/core/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { navigate, useLocation } from '../lib/navigation.ts'
import { useTitle } from '../lib/use-title.ts'
import { Button } from '../ui/button.tsx'
import styles from '../ui/door.module.css'
import { Field } from '../ui/field.tsx'
import { Mark } from '../ui/icon.tsx'
import { api, ApiError, sessionOptions } from './lib/api.ts'

export function SignInDoor(): ReactNode {
  useTitle(t`Sign in`)
  const client = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useMutation({
    mutationFn: async () => (await api('signInOperator', { body: { username: username.trim(), password } })).data,
    onSuccess: (operator) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      client.setQueryData(sessionOptions.queryKey, (known) => known && { ...known, setupRequired: false, operator })
      // The shift, and the role it gives.
      void client.invalidateQueries({ queryKey: sessionOptions.queryKey })
    },
  })
  return (
    <main className={styles.door}>
      <form
        className={styles.card}
        onSubmit={(event) => {
          event.preventDefault()
          if (username.trim() && password) signIn.mutate()
        }}
      >
        <Mark size={44} />
        <h1>{t`Operations`}</h1>
        <Field
          label={t`User name`}
          value={username}
          onChange={setUsername}
          name="username"
          autoComplete="username"
          autoFocus
          required
        />
        <Field
          label={t`Password`}
          value={password}
          onChange={setPassword}
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        <p role="alert" className={styles.error}>
          {signIn.error?.message}
        </p>
        <Button look="primary" type="submit" disabled={signIn.isPending}>
          {signIn.isPending ? t`Signing in…` : t`Sign in`}
        </Button>
      </form>
    </main>
  )
}

const shortestPassword = 10

export function SetUpDoor(): ReactNode {
  useTitle(t`Set up`)
  const { search } = useLocation()
  const client = useQueryClient()
  const given = new URLSearchParams(search).get('token') ?? ''
  const [token, setToken] = useState(given)
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const setUp = useMutation({
    mutationFn: async () =>
      (await api('setUpOps', { body: { token: token.trim(), username: username.trim(), password } })).data,
    onSuccess: async () => {
      await client.refetchQueries({ queryKey: sessionOptions.queryKey })
      navigate('/', { replace: true })
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
        <h1>{t`Operations`}</h1>
        <p
          className={styles.lead}
        >{t`Create the first operator. The console has people of its own, so that they can sign in while DAM is down.`}</p>
        {given === '' && (
          <Field
            label={t`Set-up code`}
            hint={t`The part after “token=” in the link that was printed at the start.`}
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
