import type { FastifyInstance } from 'fastify'
import { openapi } from './openapi.ts'

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: string[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  description?: string
  format?: string
  additionalProperties?: Schema | boolean
}
type Operation = {
  operationId: string
  summary: string
  tags: string[]
  description?: string
  security?: []
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Schema }[]
  requestBody?: { content: Record<string, { schema?: Schema }> }
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.map(typeOf).join(' | ')
  if (schema.type === 'array') return `${schema.items ? typeOf(schema.items) : 'any'}[]`
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any')
  return schema.format ? `${type} (${schema.format})` : type
}

function fields(schema: Schema | undefined, depth = 0): string {
  const shape = schema?.type === 'array' ? schema.items : schema
  if (!shape?.properties || depth > 4)
    return schema && depth === 0 ? `<p><code>${escape(typeOf(schema))}</code></p>` : ''
  const rows = Object.entries(shape.properties).map(([name, field]) => {
    const below = field.properties || field.items?.properties ? fields(field, depth + 1) : ''
    return `<li><code class="name">${escape(name)}</code>${shape.required?.includes(name) ? '' : '<span class="optional">optional</span>'}<code class="type">${escape(field.properties ? 'object' : typeOf(field).slice(0, 200))}</code>${field.description ? `<span>${escape(field.description)}</span>` : ''}${below}</li>`
  })
  return `<ul class="fields">${rows.join('')}</ul>`
}

function operationHtml(path: string, method: string, operation: Operation): string {
  const parameters = operation.parameters.length
    ? `<h4>Parameters</h4><ul class="fields">${operation.parameters.map((p) => `<li><code class="name">${escape(p.name)}</code><span class="optional">${p.in}${p.required ? '' : ', optional'}</span><code class="type">${escape(typeOf(p.schema))}</code>${p.description ? `<span>${escape(p.description)}</span>` : ''}</li>`).join('')}</ul>`
    : ''
  const body = operation.requestBody
    ? Object.entries(operation.requestBody.content)
        .map(([type, { schema }]) => `<h4>Body <code>${escape(type)}</code></h4>${fields(schema)}`)
        .join('')
    : ''
  const answers = Object.entries(operation.responses)
    .filter(([status]) => status !== 'default')
    .map(
      ([status, { content }]) =>
        `<h4>Answer ${escape(status)}</h4>${
          content
            ? Object.entries(content)
                .map(([type, { schema }]) => (schema ? fields(schema) : `<p><code>${escape(type)}</code></p>`))
                .join('')
            : '<p>No body.</p>'
        }`,
    )
    .join('')
  return `<details id="${escape(operation.operationId)}"><summary><span class="method ${method}">${method.toUpperCase()}</span><code>${escape(path)}</code><span class="summary">${escape(operation.summary)}</span></summary><div>${operation.description ? `<p>${escape(operation.description)}</p>` : operation.security ? '<p>Public.</p>' : ''}${parameters}${body}${answers}</div></details>`
}

function pageHtml(version: string): string {
  const document = openapi(version) as {
    paths: Record<string, Record<string, Operation>>
    tags: { name: string }[]
    components: { schemas: { Problem: { properties: { error: { properties: { code: Schema } } } } } }
  }
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const groups = document.tags.map(({ name }) => {
    const operations = all.filter(({ operation }) => operation.tags.includes(name))
    return `<section><h2 id="${escape(name)}">${escape(name)}</h2>${operations.map(({ path, method, operation }) => operationHtml(path, method, operation)).join('')}</section>`
  })
  const codes = document.components.schemas.Problem.properties.error.properties.code.enum ?? []
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>DAM API ${escape(version)}</title><link rel="icon" href="/mark.svg" type="image/svg+xml"><link rel="stylesheet" href="/api/docs/docs.css"></head><body>
<header><h1>DAM API <small>${escape(version)}</small></h1><p>The machine-readable form is <a href="/api/v4/schema/">OpenAPI 3.1</a>.</p></header>
<nav aria-label="Groups">${document.tags.map(({ name }) => `<a href="#${escape(name)}">${escape(name)}</a>`).join('')}<a href="#conventions">Conventions</a></nav>
<main><section><h2 id="conventions">Conventions</h2>
<p>Obtain a token, then send it with every request:</p>
<pre tabindex="0" role="region" aria-label="Example">curl -d username=me -d password=… http://localhost:8080/api/v4/auth/token/obtain/
curl -H "Authorization: Token …" http://localhost:8080/api/v4/dam/assets/</pre>
<p>Paths work with and without the slash at the end. Lists answer <code>{count, next, previous, results}</code>; page with <code>page</code> and <code>page_size</code>, with <code>limit</code> and <code>offset</code>, or follow <code>next</code> from <code>?cursor=</code> on, which is fast at any depth. Times are UTC. Assets carry an <code>ETag</code>: send it as <code>If-Match</code> and a write that would undo somebody else's is refused with 412. <code>Idempotency-Key</code> makes a POST safe to repeat. Long work answers 202 with a <code>job_id</code>; ask for it under <code>/api/v4/tasks/</code>.</p>
<p>Errors are <code>application/problem+json</code>; <code>error.code</code> is one of: ${codes.map((code) => `<code>${escape(code)}</code>`).join(' ')}.</p></section>
${groups.join('')}</main></body></html>`
}

const css = `:root{color-scheme:light dark;--line:light-dark(#dde1e6,#343a42);--soft:light-dark(#f4f6f8,#1c2026);--dim:light-dark(#57606a,#a0a8b2);--accent:light-dark(#1d4ed8,#8ab4ff)}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem 6rem;font:16px/1.55 system-ui,sans-serif;background:light-dark(#fff,#14171b);color:light-dark(#16191d,#e8eaed)}
h1{margin:0;font-size:1.75rem}h1 small{font-weight:400;color:var(--dim)}h2{margin:2.5rem 0 .75rem;font-size:1.2rem}h4{margin:1rem 0 .25rem;font-size:.85rem}a{color:var(--accent)}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:.75rem 0;border-bottom:1px solid var(--line)}
pre,code{font:.875rem/1.5 ui-monospace,monospace}pre{background:var(--soft);padding:1rem;border-radius:8px;overflow:auto}p{overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:8px;margin:.5rem 0}details>div{padding:0 1rem 1rem;border-top:1px solid var(--line)}
summary{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline;padding:.7rem 1rem;cursor:pointer;min-height:44px}summary .summary{color:var(--dim);flex:1 1 12rem}code{overflow-wrap:anywhere}summary code{min-width:0}
.method{font:600 .75rem ui-monospace,monospace;min-width:4.2rem;color:var(--accent)}.method.delete{color:light-dark(#b42318,#ff9d94)}.method.post,.method.put,.method.patch{color:light-dark(#1a6e35,#7fd19b)}
.fields{list-style:none;margin:.25rem 0;padding:0}.fields .fields{margin-left:1rem;padding-left:.75rem;border-left:1px solid var(--line);flex-basis:100%}
.fields li{display:flex;flex-wrap:wrap;gap:0 .75rem;padding:.15rem 0;font-size:.9rem}.name{font-weight:600}.type{color:var(--dim);overflow-wrap:anywhere}.optional{font-size:.8rem;color:var(--dim)}`

/** The readable form of the contract at /api/docs/. */
export function docsRoutes(app: FastifyInstance, version: string, pageHeaders: Record<string, string>): void {
  const html = pageHtml(version)
  app.get('/api/docs', async (_, reply) => reply.headers(pageHeaders).type('text/html; charset=utf-8').send(html))
  app.get('/api/docs/docs.css', async (_, reply) =>
    reply
      .headers(pageHeaders)
      .header('cache-control', 'public, max-age=3600')
      .type('text/css; charset=utf-8')
      .send(css),
  )
}
