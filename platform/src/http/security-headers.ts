/** For our own pages. Nothing of users' is ever served under this policy. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; " +
  "font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types dam-worker"

const common = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
} as const

/** Header sets for pages and for the API; strict transport security where users come by https. */
export function securityHeaders(isHttps: boolean): { page: Record<string, string>; api: Record<string, string> } {
  const transport = isHttps ? { 'strict-transport-security': 'max-age=63072000; includeSubDomains; preload' } : {}
  return {
    page: {
      ...common,
      ...transport,
      'content-security-policy': pagePolicy,
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    },
    api: { ...common, ...transport, 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" },
  }
}
