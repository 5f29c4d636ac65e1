import type { z } from 'zod'
import type * as s from './schemas.ts'
import type { Endpoints } from './endpoints.ts'

export type AssetType = z.output<typeof s.assetType>
export type Role = z.output<typeof s.role>
export type Preset = (typeof s.presets)[number]
export type StageName = (typeof s.stages)[number]
export type EventKind = (typeof s.eventKinds)[number]
export type AssetSummary = z.output<typeof s.assetSummary>
export type Asset = z.output<typeof s.asset>
export type EmbeddedMetadata = z.output<typeof s.embeddedMetadata>
export type AssetFilters = z.output<typeof s.assetFilters>
export type ListQuery = z.output<typeof s.listQuery>
export type SearchBody = z.output<typeof s.searchBody>
export type SearchResult = z.output<typeof s.searchResult>
export type BulkBody = z.output<typeof s.bulkBody>
export type BulkResult = z.output<typeof s.bulkResult>
export type Timeline = z.output<typeof s.timeline>
export type Upload = z.output<typeof s.upload>
export type Collection = z.output<typeof s.collection>
export type Tag = z.output<typeof s.tag>
export type Task = z.output<typeof s.task>
export type DamEvent = z.output<typeof s.event>
export type User = z.output<typeof s.user>
export type Session = z.output<typeof s.session>
export type Capability = z.output<typeof s.capability>
export type SystemHealth = z.output<typeof s.systemHealth>

export type Page<T> = {
  count: number
  count_is_estimate?: boolean
  next: string | null
  previous: string | null
  results: T[]
}

type Part<N extends keyof Endpoints, K extends string, D> = Endpoints[N] extends { [P in K]: infer S extends z.ZodType }
  ? S
  : D

/** What a client sends to an endpoint. */
export type RequestOf<N extends keyof Endpoints> = {
  [K in 'params' | 'query' | 'body' as Part<N, K, never> extends never ? never : K]: z.input<Part<N, K, z.ZodType>>
}
/** What a handler receives, already parsed. */
export type ParsedRequest<N extends keyof Endpoints> = {
  [K in 'params' | 'query' | 'body' as Part<N, K, never> extends never ? never : K]: z.output<Part<N, K, z.ZodType>>
}
/** What an endpoint answers. */
export type ResponseOf<N extends keyof Endpoints> =
  Part<N, 'response', never> extends never ? undefined : z.output<Part<N, 'response', z.ZodType>>
