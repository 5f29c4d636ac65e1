import { address, oneOf } from '@dam/platform/settings'
import { secretOrFile } from '../../notify/notify-settings.ts'

/** How files are purged at the CDN in front. */
export const cdnSettings = {
  cdnProvider: {
    variable: 'DAM_CDN_PROVIDER',
    describe: 'How the CDN is purged: purge (nginx and Varnish: the method PURGE), fastly, cloudflare, cloudfront',
    parse: oneOf('purge', 'fastly', 'cloudflare', 'cloudfront'),
  },
  cdnToken: {
    variable: 'DAM_CDN_TOKEN',
    describe: 'Token of the CDN; CloudFront: <access key id>:<secret access key> (or file:<path>)',
    secret: true,
    parse: secretOrFile,
  },
  cdnZone: {
    variable: 'DAM_CDN_ZONE',
    describe: 'Zone at Cloudflare, distribution at CloudFront',
    parse: (text: string) => {
      if (!/^[A-Za-z0-9]{1,64}$/.test(text)) throw new Error('expected letters and digits')
      return text
    },
  },
  cdnApiUrl: {
    variable: 'DAM_CDN_API_URL',
    describe: "Address of the provider's API, where it is not the usual one",
    parse: (text: string) => address('http:', 'https:')(text).replace(/\/+$/, ''),
  },
} as const
