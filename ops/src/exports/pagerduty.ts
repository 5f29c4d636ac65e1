import { Temporal } from 'temporal-polyfill'
import type { Policy } from '../policy/policy.ts'
import { bannerLines, jsonFile } from './banner.ts'
import type { Exporter } from './exporter.ts'

/** Schedule and escalation policy as bodies of PagerDuty's REST API v2 (`POST /schedules`, `POST /escalation_policies`). */
export const pagerdutyExporter: Exporter = {
  summary: 'PagerDuty schedule and escalation policy (REST API v2)',
  export: (input) => {
    const { policy } = input
    const { oncall, escalation } = policy
    const unknown = policy.people.filter(({ pagerduty }) => pagerduty === '').map(({ name }) => name)
    const empty = escalation.levels.filter(({ to }) => to !== 'oncall' && to.length === 0)
    const unexpressed = [
      ...(oncall.rotation.length === 0 ? ['Nobody is in the rotation, so that the schedule has no layer.'] : []),
      ...unknown.map((name) => `${name} has no PagerDuty id in the policy; the id of the policy stands for it.`),
      ...empty.map(({ level, title }) => `Level ${level} (${title}) has nobody and is left out.`),
      ...escalation.levels
        .filter(({ atOnceFor }) => atOnceFor.length > 0)
        .map(
          ({ level, atOnceFor }) =>
            `Level ${level} is called at once for ${atOnceFor.join(', ')} only by DAM: PagerDuty needs a service of its own for it.`,
        ),
      `${escalation.workingHoursOnly.join(', ')} wait for working hours: a setting of the PagerDuty service, not of its escalation policy.`,
      ...(oncall.secondary === 'none' ? [] : ['Exceptions, swaps and the recorded past of the rotation.']),
    ]
    const schedules = [
      schedule(policy, 'primary', oncall.rotation),
      ...(oncall.secondary === 'none' || oncall.rotation.length < 2
        ? []
        : [schedule(policy, 'secondary', secondaryRotation(oncall))]),
    ]
    return {
      files: [
        {
          path: 'pagerduty.json',
          text: jsonFile({
            comment: bannerLines(input, unexpressed),
            schedules: schedules.map((one) => ({ schedule: one })),
            escalation_policy: escalationPolicy(policy, schedules.length > 1),
          }),
        },
      ],
      unexpressed,
    }
  },
}

/** Whoever was primary in the period before stands last in turn. */
function secondaryRotation({ rotation, secondary }: Policy['oncall']): string[] {
  const by = secondary === 'previous-primary' ? -1 : 1
  return rotation.map((_, index) => rotation.at((index + by) % rotation.length) ?? '')
}

const scheduleName = (which: string): string => `DAM ${which}`

function schedule({ oncall, people }: Policy, which: string, rotation: readonly string[]) {
  const days = 'weeks' in oncall.period ? oncall.period.weeks * 7 : oncall.period.days
  const startOf = (local: string): string =>
    Temporal.PlainDateTime.from(local)
      .toZonedDateTime(oncall.zone)
      .toString({ timeZoneName: 'never', smallestUnit: 'second' })
  const layer = (name: string, from: string, until: string | null, members: readonly string[]) => ({
    name,
    start: startOf(from),
    ...(until === null ? {} : { end: startOf(until) }),
    rotation_virtual_start: startOf(from),
    rotation_turn_length_seconds: days * 86_400,
    users: members.map((id) => ({ user: userOf(people, id) })),
  })
  const segments = [{ from: oncall.anchor, rotation }, ...(which === 'primary' ? oncall.changes : [])]
  return {
    type: 'schedule',
    name: scheduleName(which),
    time_zone: oncall.zone,
    description: `${which} on call`,
    // PagerDuty lists the newest layer first.
    schedule_layers: segments
      .map((segment, index) =>
        layer(`from ${segment.from}`, segment.from, segments[index + 1]?.from ?? null, segment.rotation),
      )
      .filter(({ users }) => users.length > 0)
      .toReversed(),
  }
}

const userOf = (people: Policy['people'], id: string) => ({
  id: people.find((person) => person.id === id)?.pagerduty || id,
  type: 'user_reference',
})

function escalationPolicy({ escalation, people }: Policy, hasSecondary: boolean) {
  const minutesBetween = (from: number, until: number | undefined): number =>
    Math.max(1, Math.round(((until ?? from + 1_800_000) - from) / 60_000))
  const scheduleTarget = (which: string) => ({ id: scheduleName(which), type: 'schedule_reference' })
  const called = escalation.levels.filter(({ to }) => to === 'oncall' || to.length > 0)
  const steps = called.flatMap((level) =>
    level.to === 'oncall'
      ? [
          { at: level.after, targets: [scheduleTarget('primary')] },
          ...(hasSecondary
            ? [{ at: level.after + escalation.secondaryAfter, targets: [scheduleTarget('secondary')] }]
            : []),
        ]
      : [{ at: level.after, targets: level.to.map((id) => userOf(people, id)) }],
  )
  return {
    escalation_policy: {
      type: 'escalation_policy',
      name: 'DAM',
      num_loops: 2,
      on_call_handoff_notifications: 'if_has_services',
      escalation_rules: steps.map(({ at, targets }, index) => ({
        escalation_delay_in_minutes: minutesBetween(at, steps[index + 1]?.at),
        targets,
      })),
    },
  }
}
