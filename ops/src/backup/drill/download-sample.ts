import { createHash } from 'node:crypto'
import type { SyntheticAccount } from '../../verification/synthetic-account.ts'
import { connect } from '../connect.ts'

/** Downloads random assets through the public API and compares each with its checksum. */
export async function downloadSample(options: {
  baseUrl: string
  connectionString: string
  account: SyntheticAccount
  count: number
}): Promise<{ asked: number; right: number }> {
  const { baseUrl, account } = options
  const signIn = await fetch(`${baseUrl}/api/v4/auth/token/obtain/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  })
  if (!signIn.ok)
    throw new Error(`Signing in to the application on the restored data was answered with ${signIn.status}.`)
  const { token } = (await signIn.json()) as { token: string }
  await using client = await connect(options.connectionString, 'drill')
  // Large files would measure the disk and not whether downloads work.
  const { rows } = await client.query<{ id: string; sha256: string }>(
    'select id, sha256 from asset where trashed_at is null and size_bytes < 200000000 order by random() limit $1',
    [options.count],
  )
  let right = 0
  for (const { id, sha256 } of rows) {
    const response = await fetch(`${baseUrl}/api/v4/dam/assets/${id}/download/`, {
      headers: { authorization: `Token ${token}` },
    })
    const hash = createHash('sha256')
    if (response.body) for await (const chunk of response.body) hash.update(chunk)
    if (response.ok && hash.digest('hex') === sha256) right++
  }
  return { asked: rows.length, right }
}
