import { z } from 'zod'
import { apiBase, problemStatus } from '@dam/contract'
import { endpoints, routes, type Endpoint } from '@dam/contract/endpoints'

type Json = Record<string, unknown>

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  }) as Json
  return rest
}

/** Properties of an object schema as OpenAPI parameters. */
const parameters = (schema: z.ZodType | undefined, where: 'path' | 'query'): Json[] => {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'output') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...shape }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description ? { description } : {}),
    schema: shape,
  }))
}

const problemSchema = {
  type: 'object',
  required: ['detail', 'error'],
  description: 'What went wrong; field errors stand beside `detail` as `{ "field": ["…"] }`.',
  properties: {
    detail: { type: 'string' },
    error: {
      type: 'object',
      required: ['code', 'message', 'details', 'request_id'],
      properties: {
        code: { type: 'string', enum: Object.keys(problemStatus) },
        message: { type: 'string' },
        details: { type: 'object' },
        request_id: { type: 'string' },
      },
    },
  },
  additionalProperties: { type: 'array', items: { type: 'string' } },
}

/** The contract as OpenAPI 3.1, read from the same table that the server parses with. */
export function openapi(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const [name, { method, path }] of Object.entries(routes)) {
    const endpoint: Endpoint = endpoints[name as keyof typeof endpoints]
    const operation: Json = {
      operationId: name,
      summary: endpoint.summary,
      tags: [endpoint.group],
      ...(endpoint.access === 'public'
        ? { security: [] }
        : { description: `Needs the role ${endpoint.access} or higher.` }),
      parameters: [...parameters(endpoint.params, 'path'), ...parameters(endpoint.query, 'query')],
      ...(endpoint.body || endpoint.bodyType
        ? { requestBody: { required: true, content: bodyContent(endpoint) } }
        : {}),
      responses: {
        [String(endpoint.status)]: {
          description: 'Success',
          ...(endpoint.response
            ? { content: { 'application/json': { schema: jsonSchema(endpoint.response, 'output') } } }
            : endpoint.produces
              ? { content: { [endpoint.produces]: {} } }
              : {}),
        },
        default: {
          description: 'A problem',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    }
    ;(paths[apiBase + path] ??= {})[method.toLowerCase()] = operation
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'DAM',
      version,
      description:
        'Digital asset management. Obtain a token at /auth/token/obtain/ and send it as `Authorization: Token …`.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(Object.values(endpoints).map((endpoint) => endpoint.group))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: '`Token <token>` or `Bearer <token>`',
        },
        session: { type: 'apiKey', in: 'cookie', name: 'dam_session' },
      },
    },
  }
}

function bodyContent(endpoint: Endpoint): Json {
  if (endpoint.bodyType === 'multipart/form-data') {
    return {
      'multipart/form-data': {
        schema: {
          type: 'object',
          required: ['file'],
          properties: {
            file: { type: 'string', contentMediaType: 'application/octet-stream' },
            metadata: { type: 'string', contentMediaType: 'application/json' },
          },
        },
      },
    }
  }
  if (endpoint.bodyType) return { [endpoint.bodyType]: {} }
  return { 'application/json': { schema: endpoint.body ? jsonSchema(endpoint.body, 'input') : {} } }
}
