import type { Policy } from '../policy/policy.ts'

export type RunbookEntry = {
  text: string
  note?: string
  /** The line of the runbook that this replaces. */
  instead?: string
  /** What a person types. */
  command?: string
  /** A place of the console. */
  page?: string
  url?: string
}

export type Chapter = { title: string; sections: { title: string; entries: RunbookEntry[] }[] }

export type RunbookSource = {
  policy: Policy
  /** Null when the channel can send; else what is missing. */
  channelState: (address: string) => string | null
}

/** Replaces `instead` by `command`; `text` says what for. */
export const by = (text: string, instead: string, command: string, page?: string): RunbookEntry => ({
  text,
  instead,
  command,
  ...(page === undefined ? {} : { page }),
})
