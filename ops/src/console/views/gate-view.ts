import { Problem } from '@dam/contract'
import { gateStatus } from '@dam/contract/ops-schemas'
import type { CommandAnswer, GateView } from '@dam/contract/ops-types'
import { z } from 'zod'

const answers = z.union([z.array(gateStatus), z.object({ gates: z.array(gateStatus) })])

/** The gates in what `./dam gates --json` answered. Throws `not-possible-now` with what the command said instead. */
export function readGates(answer: CommandAnswer): GateView[] {
  const parsed = answers.safeParse(answer.answer)
  if (parsed.success) return Array.isArray(parsed.data) ? parsed.data : parsed.data.gates
  throw new Problem('not-possible-now', answer.output || 'The gates could not be read.')
}
