import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)

/** OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }

/** PHC string of a password. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16)
  const tag = await derive('argon2id', { ...cost, message: password.normalize('NFKC'), nonce })
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(nonce)}$${base64(tag)}`
}

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** Takes as long for an unknown account as for a known one: pass `undefined` as the hash. */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const parsed = phc.exec(hash ?? decoy)
  if (!parsed) return false
  const expected = Buffer.from(parsed[5] as string, 'base64')
  const tag = await derive('argon2id', {
    memory: Number(parsed[1]),
    passes: Number(parsed[2]),
    parallelism: Number(parsed[3]),
    tagLength: expected.length,
    message: password.normalize('NFKC'),
    nonce: Buffer.from(parsed[4] as string, 'base64'),
  })
  return timingSafeEqual(tag, expected) && hash !== undefined
}

const decoy = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`
