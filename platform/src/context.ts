import { AsyncLocalStorage } from 'node:async_hooks'

/** What a line of log belongs to; carried through everything awaited inside `runInContext`. */
export type Context = { request_id?: string; user_id?: number; asset_id?: number; job_id?: string }

const storage = new AsyncLocalStorage<Context>()

export const runInContext = <T>(context: Context, work: () => T): T => storage.run(context, work)
export const currentContext = (): Context | undefined => storage.getStore()
