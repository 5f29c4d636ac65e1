export * from './problem.ts'
export * from './routes.ts'
export * from './client.ts'
export type * from './types.ts'
