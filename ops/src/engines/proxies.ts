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
    {
      path: 'switch.sh',
      isExecutable: true,
      text: `#!/bin/sh
${header(facts, 'haproxy')}# switch.sh bake green blue    ${100 - facts.controlSharePercent} % of the sessions to green, the rest stay on blue
# switch.sh only green blue    everything to green; blue stays warm
# A rollback is: switch.sh only blue green
set -eu
usage() { echo "Usage: $0 bake|only <new: blue|green> <old: blue|green>" >&2; exit 2; }
[ $# -eq 3 ] || usage
case "$2 $3" in 'blue green' | 'green blue') ;; *) usage ;; esac
socket=\${HAPROXY_SOCKET:-${places.runDir}/dam.sock}
state=\${HAPROXY_STATE:-${places.runDir}/dam.state}
say() {
  answer=$(echo "$1" | socat -t 5 - "UNIX-CONNECT:$socket")
  [ -z "$answer" ] || { echo "HAProxy: $answer" >&2; exit 1; }
}
is_up() { echo 'show stat' | socat -t 5 - "UNIX-CONNECT:$socket" | grep -q "^dam,$1,.*,UP,"; }
say "set server dam/$2 state ready"
tries=0
until is_up "$2"; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || { echo "$2 does not become ready; nothing was switched" >&2; say "set server dam/$2 state maint"; exit 1; }
  sleep 1
done
case $1 in
  bake)
    say "set server dam/$2 weight ${100 - facts.controlSharePercent}"
    say "set server dam/$3 weight ${facts.controlSharePercent}"
    ;;
  only)
    say "set server dam/$2 weight 100"
    say "set server dam/$3 state maint"
    say "set server dam/$3 weight 100"
    ;;
  *) usage ;;
esac
# What a reload of HAProxy starts from.
echo 'show servers state' | socat -t 5 - "UNIX-CONNECT:$socket" >"$state.new"
mv "$state.new" "$state"
`,
    },
  ]
}

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
