export type CheckResult = { passed: true } | { passed: false; output: string }

/** One static check. `write` brings what is generated up to date instead of comparing. */
export type Check = { name: string; run(options: { write: boolean }): Promise<CheckResult> }

export const passed: CheckResult = { passed: true }
export const failed = (output: string): CheckResult => ({ passed: false, output })
