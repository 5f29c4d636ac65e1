import { t } from '@lingui/core/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { api } from '../../lib/api.ts'
import { sessionOptions } from '../../lib/session.ts'
import { useTitle } from '../../lib/use-title.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Mark } from '../../ui/icon.tsx'
import styles from '../../ui/door.module.css'

export default function SignInRoute(): ReactNode {
  useTitle(t`Sign in`)
  const client = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useMutation({
    mutationFn: async () => (await api('signIn', { body: { username: username.trim(), password } })).data,
    onSuccess: (user) => {
      const session = client.getQueryData(sessionOptions.queryKey)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      client.setQueryData(sessionOptions.queryKey, { setup_required: false, version: session?.version ?? '', user })
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
        <h1>{t`Sign in to DAM`}</h1>
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
