import type { Progress } from '@dam/ops/src/deployments/deployer-deps.ts'

const marks = { started: '·', done: '✓', failed: '✗', skipped: '–', note: ' ' } as const

/**
 * The time line of a deployment as it happens. A terminal shows what is under way in one line that is written over; anywhere else,
 * each event is a line of its own, looks of the judge only when their verdict changes.
 */
export function progressPrinter(output: NodeJS.WriteStream): ((event: Progress) => void) & Disposable {
  const isLive = output.isTTY
  const begin = performance.now()
  let current: { step: string; message: string; begin: number } | null = null
  let lastVerdict = ''
  const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`.padStart(8)
  const clear = (): void => void (isLive && output.write('\r\u001B[K'))
  const draw = (): void => {
    if (!isLive || !current) return
    const width = Math.max(40, output.columns)
    output.write(
      `\r\u001B[K${`· ${seconds(current.begin)}  ${current.step.padEnd(20)} ${current.message}`.slice(0, width - 1)}`,
    )
  }
  const line = (mark: string, time: string, step: string, message: string): void => {
    clear()
    const [first = '', ...more] = message.split('\n')
    output.write(`${mark} ${time}  ${step.padEnd(20)} ${first}\n`)
    for (const rest of more) output.write(`${' '.repeat(32)} ${rest}\n`)
  }
  const timer = isLive ? setInterval(draw, 250) : undefined
  timer?.unref()
  return Object.assign(
    ({ step, status, message, seconds: took }: Progress): void => {
      if (status === 'started') {
        current = { step, message: '', begin: performance.now() }
        draw()
        return
      }
      if (status === 'note') {
        if (current) current.message = message.split('\n')[0] ?? ''
        const verdict = /^(good|bad|environment|inconclusive): /.exec(message)?.[1] ?? ''
        const isNews = verdict === '' || verdict !== lastVerdict
        lastVerdict = verdict === '' ? lastVerdict : verdict
        if (!isLive && isNews) line(marks.note, seconds(begin), step, message)
        draw()
        return
      }
      current = null
      line(marks[status], took === null ? ' '.repeat(8) : `${took.toFixed(1)} s`.padStart(8), step, message)
    },
    {
      [Symbol.dispose]: () => {
        clearInterval(timer)
        clear()
      },
    },
  )
}
