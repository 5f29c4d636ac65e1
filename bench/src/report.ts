import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import path from 'node:path'
import { config, root } from './config.ts'

export type Figure = {
  figure: string
  value: number
  unit: string
  /** How many measurements the value stands for. */
  n: number
  /** What others reach in the same figure, with the unit of `value`. */
  peer?: string
  /** The bound the product set itself. */
  target?: { atMost: number } | { atLeast: number }
}

export type ResultRow = {
  figure: string
  value: number
  unit: string
  n: number
  /** The bound and whether it is met. */
  target: string | null
  peer: string | null
  machine: string
  date: string
  commit: string
}

/** Prints the figures and writes them to bench/results/<name>.json; `isPartial`: more come, so they are only written. */
export function report(name: string, figures: readonly Figure[], options: { isPartial?: boolean } = {}): void {
  const [machine, commit, date] = [describeMachine(), commitNow(), new Date().toISOString()]
  const rows: ResultRow[] = figures.map((each) => ({
    figure: each.figure,
    value: rounded(each.value),
    unit: each.unit,
    n: each.n,
    target: verdict(each) || null,
    peer: each.peer ?? null,
    machine,
    date,
    commit,
  }))
  const dir = config.quick ? config.scratchDir : path.join(root, 'bench', 'results')
  mkdirSync(dir, { recursive: true })
  const file = path.join(dir, `${name}.json`)
  writeFileSync(file, `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`)
  if (options.isPartial) return
  console.log(`\n${name}  ·  ${machine}  ·  ${commit}  ·  ${date.slice(0, 16)}Z\n`)
  console.log(
    tableOf([
      ['figure', 'value', 'unit', 'n', 'target', 'peers'],
      ...figures.map((figure) => [
        figure.figure,
        String(rounded(figure.value)),
        figure.unit,
        String(figure.n),
        verdict(figure),
        figure.peer ?? '',
      ]),
    ]),
  )
  console.log(`\nwritten to ${path.relative(process.cwd(), file)}`)
}

function verdict({ value, target }: Figure): string {
  if (!target) return ''
  const [met, text] =
    'atMost' in target
      ? [value <= target.atMost, `<= ${target.atMost}`]
      : [value >= target.atLeast, `>= ${target.atLeast}`]
  return `${text} ${met ? 'met' : 'MISSED'}`
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const rounded = (value: number): number => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))

function describeMachine(): string {
  const processors = cpus()
  return `${processors[0]?.model.trim() ?? 'unknown'} x ${processors.length}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`
}

/** A `+` means that tracked files differ from that commit. */
function commitNow(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--untracked-files=no', '--', ':!bench/results') === '' ? '' : '+')
    )
  } catch {
    return 'unknown'
  }
}

/** The value below which `share` of the values lie; 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? sorted[0]
  if (value === undefined) throw new Error('no values were measured')
  return value
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)
