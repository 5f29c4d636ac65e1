import { Problem } from '@dam/contract'
import { diagnosis, tuning, verification } from '@dam/contract/ops-schemas'
import type { CommandAnswer } from '@dam/contract/ops-types'
import { z } from 'zod'
import type { CommandRunner } from '../actions/run-command.ts'
import type { Environment } from '../environments/environment.ts'
import { hourMs } from '../gates/gate-policy.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { attest } from '../verification/attestation-store.ts'
import { checklistOf, checklistsFor } from '../verification/checklist.ts'
import type { Handlers } from './handler.ts'

export type InspectionRoutes = 'getVerification' | 'attest' | 'diagnose' | 'getTuning'

const verifications = z.object({ verifications: z.array(verification) })

/** What looks into an environment and changes nothing: each is the command of the same name, because it is heavy. */
export function inspectionHandlers(deps: {
  store: Store
  policy: () => Policy
  environments: () => readonly Environment[]
  commands: CommandRunner
}): Pick<Handlers, InspectionRoutes> {
  const { store, commands } = deps
  const known = (name: string): string => {
    const names = deps.environments().map((environment) => environment.name)
    if (names.includes(name)) return name
    throw new Problem('not-found', `There is no environment ${name}. There is: ${names.join(', ')}.`)
  }
  return {
    getVerification: async ({ params, query }) => {
      const journey = query.journey === true ? [] : ['--no-journey']
      const answer = await commands.ask(['verify', known(params.environment), '--json', ...journey])
      const [found] = readAnswer(verifications, answer).verifications
      if (!found) throw new Problem('not-possible-now', 'The checklists could not be read.')
      return found
    },
    attest: ({ params, body }, { principal, now }) => {
      const environment = known(params.environment)
      const items = checklistsFor(environment).flatMap((name) => checklistOf(deps.policy(), name))
      if (!items.some(({ item }) => item === body.item)) {
        const message = `The checklist of ${environment} has: ${items.map(({ item }) => item).join(', ')}.`
        throw new Problem('validation-failed', message, { fields: { item: [message] } })
      }
      const expiresAt = new Date(now.getTime() + body.hours * hourMs)
      const { item, note } = body
      attest(store, `environment:${environment}`, { item, by: principal.username, note, expiresAt }, now)
      return undefined
    },
    diagnose: async ({ params, body }, { principal }) =>
      readAnswer(
        diagnosis,
        await commands.ask([
          'diagnose',
          body.playbook,
          '--environment',
          known(params.environment),
          '--by',
          principal.username,
          '--json',
        ]),
      ),
    getTuning: async ({ params }) => ({
      lines: readAnswer(
        tuning.shape.lines,
        await commands.ask(['tune', '--environment', known(params.environment), '--json']),
      ),
    }),
  }
}

/** What the command found; throws `not-possible-now` with what it said instead. */
function readAnswer<T extends z.ZodType>(schema: T, answer: CommandAnswer): z.output<T> {
  const parsed = schema.safeParse(answer.answer)
  if (parsed.success) return parsed.data
  throw new Problem('not-possible-now', answer.output || 'The command gave no answer that can be read.')
}
