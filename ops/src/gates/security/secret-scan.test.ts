import { describe, expect, it } from 'vitest'
import { readAllowedSecrets, scanForSecrets } from './secret-scan.ts'

// Put together here, so that this file holds none of them.
const random = 'q7Zp2LwX9vB4nT6kR1mY8cJ3hG5dF0sA'
const planted: Record<string, string> = {
  'a private key': [
    '-----BEGIN RSA',
    'PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7Zp2LwX9vB4nT6k\n-----END RSA',
    'PRIVATE KEY-----',
  ].join(' '),
  'an AWS key id': ['const id = ', 'AKIA', 'Q7ZP2LWX5VB4NT6K'].join(''),
  'a GitHub token': `ghp_${random}abcd`,
  'a fine-grained GitHub token': `github_pat_${random}_${random}`,
  'a Slack token': ['xoxb', '123456789012', '1234567890123', random.slice(0, 24)].join('-'),
  'a Slack webhook': ['https://hooks.slack.com/services', 'T01ABCDEF', 'B01ABCDEF', random.slice(0, 24)].join('/'),
  'a PagerDuty key': `"routing_key": "${random.toLowerCase()}"`,
  'an assigned random value': `const sessionSecret = '${random}'`,
}
const scan = (files: Record<string, string>, allowed: Parameters<typeof scanForSecrets>[1] = []) =>
  scanForSecrets(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])), allowed)

describe('the secret scan', () => {
  it('finds each kind, names file and line, and never shows the secret', async () => {
    for (const [kind, text] of Object.entries(planted)) {
      const line = await scan({ 'src/fine.ts': 'export {}\n', 'src/leak.ts': `first line\n${text}\n` })
      expect(line.state, kind).toBe('fail')
      expect(line.findings[0]).toMatch(/^src\/leak\.ts:[23]: /)
      expect(JSON.stringify(line), kind).not.toContain(random)
    }
  })

  it('is not switched off by a comment in the source', async () => {
    const line = await scan({ 'leak.ts': `// secretlint-disable\n${planted['a Slack token'] ?? ''}\n` })
    expect(line.state).toBe('fail')
  })

  it('passes ordinary code: names, hashes, addresses, headers of keys', async () => {
    const line = await scan({
      'a.ts': `const password = await readNewPassword()\nif (pem.startsWith('-----BEGIN PRIVATE KEY-----')) return\n`,
      'release.json': `"backend/src/people/password.ts": "${'0a9b8c7d'.repeat(8)}"\n`,
      'lock.yaml': `integrity: sha512-${random}${random}==\n`,
      'b.ts': `const url = 'postgresql:///dam_db'\nconst token = 'the-token-of-the-session-is-here'\n`,
    })
    expect(line).toMatchObject({ state: 'pass', findings: [] })
  })

  it('lets pass what was reviewed, in that file and with that text only', async () => {
    const text = planted['an AWS key id'] ?? ''
    const found = (await scan({ 'a.ts': text })).findings.map((finding) => /fingerprint (\w+)/.exec(finding)?.[1] ?? '')
    const allowed = found.map((fingerprint) => ({ file: 'a.ts', fingerprint, because: 'a made-up key of a test' }))
    expect((await scan({ 'a.ts': text }, allowed)).state).toBe('pass')
    expect((await scan({ 'b.ts': text }, allowed)).state).toBe('fail')
    expect((await scan({ 'a.ts': text.replace('5VB', '6VB') }, allowed)).state).toBe('fail')
    expect(() => readAllowedSecrets('{"allowed":[{"file":"a"}]}')).toThrow('allowed-secrets.json')
  })

  it('knows nothing of an artifact without files', async () => {
    expect((await scan({})).state).toBe('unknown')
  })
})
