import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** `release.sig`: who vouches that this manifest belongs to the artifact of this digest. */
export type ReleaseSignature = {
  format: 1
  /** sha256 of the public key, first 16 digits. */
  key: string
  /** ed25519, base64. */
  signature: string
}

/** `name` is the file it came from, such as `release.pub`. */
export type TrustedKey = { id: string; name: string; key: KeyObject }

/** The host's own key, made when there is none. Its private half never leaves this folder. */
export function ensureSigningKey(keysDir: string): KeyObject {
  mkdirSync(keysDir, { recursive: true, mode: 0o700 })
  const file = path.join(keysDir, 'release.key')
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519')
    const draft = `${file}.${process.pid}.${process.hrtime.bigint()}`
    writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true })
    try {
      // Whoever is first wins; the other one uses that key.
      linkSync(draft, file)
    } catch (error) {
      if (!existsSync(file)) throw error
    } finally {
      rmSync(draft)
    }
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Error(`${file} can be read by others. Run: chmod 600 ${file}`)
  }
  const key = createPrivateKey(readFileSync(file))
  const publicFile = path.join(keysDir, 'release.pub')
  if (!existsSync(publicFile)) {
    writeFileSync(publicFile, createPublicKey(key).export({ type: 'spki', format: 'pem' }), { flush: true })
  }
  return key
}

/** Every `*.pub` in the folder: the host's own and those of hosts whose releases it takes. */
export function readTrustedKeys(keysDir: string): TrustedKey[] {
  if (!existsSync(keysDir)) return []
  return readdirSync(keysDir)
    .filter((name) => name.endsWith('.pub'))
    .sort()
    .map((name) => {
      const key = createPublicKey(readFileSync(path.join(keysDir, name)))
      return { id: keyId(key), name, key }
    })
}

export function signRelease(key: KeyObject, digest: string, manifest: Buffer): ReleaseSignature {
  const signature = sign(null, signedBytes(digest, manifest), key).toString('base64')
  return { format: 1, key: keyId(createPublicKey(key)), signature }
}

/** The trusted key that signed. Throws, saying which it is, when it is none of them or the signature is not right. */
export function verifySignature(
  trusted: readonly TrustedKey[],
  digest: string,
  manifest: Buffer,
  signatureText: string,
): TrustedKey {
  const { key: id, signature } = parseSignature(signatureText)
  const key = trusted.find((candidate) => candidate.id === id)
  if (!key) {
    throw new Error(
      `The release is signed with key ${id}, which this host does not trust. If you know it, put its release.pub as <name>.pub into ops/keys of the host.`,
    )
  }
  if (!verify(null, signedBytes(digest, manifest), key.key, Buffer.from(signature, 'base64'))) {
    throw new Error('The signature does not belong to this release: its manifest, artifact or signature was changed.')
  }
  return key
}

function parseSignature(text: string): ReleaseSignature {
  let parsed: Partial<ReleaseSignature> | null
  try {
    parsed = JSON.parse(text) as Partial<ReleaseSignature> | null
  } catch {
    parsed = null
  }
  if (parsed?.format !== 1 || !/^[0-9a-f]{16}$/.test(String(parsed.key)) || typeof parsed.signature !== 'string') {
    throw new Error('The signature of the release cannot be read (release.sig).')
  }
  return parsed as ReleaseSignature
}

const signedBytes = (digest: string, manifest: Buffer) =>
  Buffer.concat([Buffer.from(`dam release 1\n${digest}\n`), manifest])

const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
