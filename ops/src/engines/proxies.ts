import { type EngineFacts, type EngineFile, header } from './engine-facts.ts'

/** Where the things are that a proxy's file names. Ports are on the loopback. */
export type ProxyPlaces = {
  httpPort: number
  httpsPort: number
  /** Of our own front. */
  frontPort: number
  bluePort: number
  greenPort: number
  /** PEM with certificate and key. */
  certificate: string
  runDir: string
}

export const usualPlaces: ProxyPlaces = {
  httpPort: 80,
  httpsPort: 443,
  frontPort: 8_080,
  bluePort: 18_201,
  greenPort: 18_202,
  certificate: '/etc/haproxy/certs/dam.pem',
  runDir: '/run/haproxy',
}

/** TLS before our front, and the place of our front with two releases behind it. */
export function haproxyFiles(facts: EngineFacts, places: ProxyPlaces = usualPlaces): EngineFile[] {
  const beginning = `${header(facts, 'haproxy')}
global
  log stdout format raw local0 info
  maxconn 4096
  stats socket ${places.runDir}/dam.sock mode 600 level admin
  server-state-file ${places.runDir}/dam.state

defaults
  mode http
  log global
  option httplog
  option dontlognull
  option redispatch
  retries 2
  timeout connect 5s
  timeout http-request 15s
  timeout http-keep-alive 60s
  timeout client 120s
  # The answer to the last byte of an upload.
  timeout server ${facts.longestUploadSeconds}s
  timeout tunnel 1h

frontend dam
  bind :${places.httpPort}
  bind :${places.httpsPort} ssl crt ${places.certificate} alpn h2,http/1.1 ssl-min-ver TLSv1.2
  http-request redirect scheme https code 301 unless { ssl_fc }
  # Nobody outside says who they are or that they are a probe of ours.
  http-request del-header x-forwarded-for
  http-request del-header x-dam-synthetic
  http-request set-header x-forwarded-proto https
  option forwardfor
  default_backend dam
`
  return [
    {
      path: 'tls.cfg',
      text: `${beginning}
# Name 127.0.0.1 among the trustedProxies of the front.
backend dam
  server front 127.0.0.1:${places.frontPort}
`,
    },
    {
      path: 'blue-green.cfg',
      text: `${beginning}
# A session keeps its release for as long as the weights stay: by its cookie, else its token, else its address.
backend dam
  http-request set-var(txn.session) src
  http-request set-var(txn.session) req.hdr(authorization) if { req.hdr(authorization) -m found }
  http-request set-var(txn.session) req.cook(__Host-dam_session) if { req.cook(__Host-dam_session) -m found }
  balance hash var(txn.session)
  hash-type consistent sdbm avalanche
  option httpchk
  http-check send meth GET uri /readyz hdr host ${facts.domain}
  http-check expect status 200
  load-server-state-from-file global
  default-server check inter ${facts.readyEverySeconds}s fall ${facts.failedReadiness} rise ${facts.failedReadiness} weight 100
  server blue 127.0.0.1:${places.bluePort}
  server green 127.0.0.1:${places.greenPort} disabled
`,
    },
    { path: 'switch.mjs', isExecutable: true, text: switchScript(facts, places) },
  ]
}

/** Speaks HAProxy's runtime API, and leaves behind what a reload of HAProxy starts from. */
const switchScript = (facts: EngineFacts, places: ProxyPlaces): string => `#!/usr/bin/env node
${header(facts, 'haproxy').replaceAll(/^#/gm, '//')}// switch.mjs bake green blue    ${100 - facts.controlSharePercent} % of the sessions to green, the rest stay on blue
// switch.mjs only green blue    everything to green; blue stays warm
// A rollback is: switch.mjs only blue green
import { renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const [mode, fresh, old] = process.argv.slice(2)
const socket = process.env.HAPROXY_SOCKET ?? '${places.runDir}/dam.sock'
const state = process.env.HAPROXY_STATE ?? '${places.runDir}/dam.state'
if (!['bake', 'only'].includes(mode) || !['blue green', 'green blue'].includes(\`\${fresh} \${old}\`)) {
  console.error('Usage: switch.mjs bake|only <new: blue|green> <old: blue|green>')
  process.exit(2)
}

const ask = (command) =>
  new Promise((resolve, reject) => {
    let answer = ''
    const connection = connect(socket, () => connection.write(\`\${command}\\n\`))
    connection.on('data', (chunk) => (answer += chunk)).on('end', () => resolve(answer)).on('error', reject)
  })
const say = async (command) => {
  const answer = (await ask(command)).trim()
  if (answer !== '') throw new Error(\`HAProxy on "\${command}": \${answer}\`)
}
const isUp = async () => (await ask('show stat')).split('\\n').some((line) => line.startsWith(\`dam,\${fresh},\`) && line.split(',')[17] === 'UP')

await say(\`set server dam/\${fresh} state ready\`)
for (let tries = 0; !(await isUp()); tries++) {
  if (tries === 60) {
    await say(\`set server dam/\${fresh} state maint\`)
    console.error(\`\${fresh} does not become ready; nothing was switched\`)
    process.exit(1)
  }
  await sleep(1_000)
}
if (mode === 'bake') {
  await say(\`set server dam/\${fresh} weight ${100 - facts.controlSharePercent}\`)
  await say(\`set server dam/\${old} weight ${facts.controlSharePercent}\`)
} else {
  await say(\`set server dam/\${fresh} weight 100\`)
  await say(\`set server dam/\${old} state maint\`)
  await say(\`set server dam/\${old} weight 100\`)
}
writeFileSync(\`\${state}.new\`, await ask('show servers state'))
renameSync(\`\${state}.new\`, state)
`

/** The same two uses for Caddy, which fetches its certificates itself. */
export function caddyFiles(facts: EngineFacts, places: ProxyPlaces = usualPlaces, site = facts.domain): EngineFile[] {
  const beginning = `${header(facts, 'caddy')}{
	# The answer to the last byte of an upload may take as long as this; event streams have no end.
	servers {
		timeouts {
			read_header 15s
			idle 2m
		}
	}
}
`
  return [
    {
      path: 'tls.Caddyfile',
      text: `${beginning}
# Name 127.0.0.1 among the trustedProxies of the front.
${site} {
	request_header -X-Dam-Synthetic
	reverse_proxy 127.0.0.1:${places.frontPort} {
		transport http {
			response_header_timeout ${facts.longestUploadSeconds}s
		}
	}
}
`,
    },
    {
      path: 'blue-green.Caddyfile',
      text: `${beginning}
# The pointer is the file beside this one: write the other port into it, then caddy reload. Sessions are not shared out.
${site} {
	request_header -X-Dam-Synthetic
	reverse_proxy {
		import active.caddy
		health_uri /readyz
		health_interval ${facts.readyEverySeconds}s
		health_timeout 5s
		lb_try_duration 5s
		transport http {
			response_header_timeout ${facts.longestUploadSeconds}s
		}
	}
}
`,
    },
    { path: 'active.caddy', text: `${header(facts, 'caddy')}to 127.0.0.1:${places.bluePort}\n` },
  ]
}
