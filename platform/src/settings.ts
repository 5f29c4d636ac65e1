/** One setting of a process, read from the environment. `parse` throws an Error whose message says what is expected. */
export type Setting<T> = {
  variable: string
  describe: string
  /** Text form of the default; undefined where leaving it out has a meaning of its own. */
  default?: string
  secret?: boolean
  parse: (text: string) => T
}

export type Settings = Record<string, Setting<unknown>>
export type ValuesOf<S extends Settings> = Readonly<{
  [K in keyof S]: S[K] extends { default: string } ? ReturnType<S[K]['parse']> : ReturnType<S[K]['parse']> | undefined
}>
export type SettingSource = 'environment' | 'default' | 'unset'

export class SettingsError extends Error {
  readonly mistakes: string[]
  constructor(mistakes: string[]) {
    super(`Configuration cannot be used:\n${mistakes.map((line) => `  - ${line}`).join('\n')}`)
    this.name = 'SettingsError'
    this.mistakes = mistakes
  }
}

/** Reads all settings at once and reports all mistakes together. The result is frozen. */
export function readSettings<const S extends Settings>(
  settings: S,
  environment: Record<string, string | undefined>,
): { values: ValuesOf<S>; sources: Record<keyof S, SettingSource> } {
  const values: Record<string, unknown> = {}
  const sources: Record<string, SettingSource> = {}
  const mistakes: string[] = []
  for (const [name, setting] of Object.entries(settings)) {
    const given = environment[setting.variable]?.trim()
    const text = given === undefined || given === '' ? setting.default : given
    sources[name] = given ? 'environment' : setting.default === undefined ? 'unset' : 'default'
    if (text === undefined) continue
    try {
      values[name] = setting.parse(text)
    } catch (error) {
      const shown = setting.secret ? '[redacted]' : JSON.stringify(text)
      mistakes.push(`${setting.variable}=${shown}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return { values: Object.freeze(values) as ValuesOf<S>, sources: sources as Record<keyof S, SettingSource> }
}

/** A value that never shows in logs, JSON or inspect. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[redacted]'
  }
  toJSON(): string {
    return '[redacted]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]'
  }
}

export const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least || value > most)
      throw new Error(`expected a whole number from ${least} to ${most}`)
    return value
  }

export const oneOf =
  <const T extends readonly string[]>(...choices: T) =>
  (text: string): T[number] => {
    if (!choices.includes(text)) throw new Error(`expected one of ${choices.join(', ')}`)
    return text
  }

export const address =
  (...protocols: string[]) =>
  (text: string): string => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new Error(`expected an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`)
    }
    return text
  }
