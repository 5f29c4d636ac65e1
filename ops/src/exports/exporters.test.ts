import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { onCall } from '../oncall/schedule.ts'
import { signalNames } from '../policy/policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import type { ExportInput } from './exporter.ts'
import { exporterNames, exporters } from './exporters.ts'

const read = readPolicy()
const people = ['anna', 'ben', 'cleo'].map((id, index) => ({
  id,
  name: id,
  phone: '',
  email: `${id}@dam.local`,
  slack: '',
  pagerduty: index === 0 ? 'PANNA01' : '',
  level: 1,
}))
const staffed: ExportInput = {
  policy: {
    ...read.policy,
    people,
    oncall: { ...read.policy.oncall, zone: 'Europe/Berlin', rotation: ['anna', 'ben', 'cleo'] },
  },
  hash: read.hash,
  environments: ['production'],
  consoleUrl: 'https://ops.example.com',
  now: new Date('2026-01-01T00:00:00Z'),
}
const fileOf = (name: string): string => exporters[name]?.export(staffed).files[0]?.text ?? ''

test('every export carries the hash of the policy', () => {
  for (const name of exporterNames)
    for (const { text } of exporters[name]?.export(staffed).files ?? [])
      expect(text, name).toContain(`from policy ${read.hash}.`)
})

test('the dashboard has a panel for every signal and marks releases', () => {
  const { panels, annotations } = JSON.parse(fileOf('grafana')) as {
    panels: { type: string; id: number; targets?: { expr: string }[] }[]
    annotations: { list: { name: string; expr: string }[] }
  }
  const charts = panels.filter(({ type }) => type === 'timeseries')
  expect(charts).toHaveLength(signalNames.length)
  for (const chart of charts) expect(chart.targets?.[0]?.expr).toContain('environment="$environment"')
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  expect(annotations.list[0]?.expr).toContain('dam_build_info')
})

test('Datadog has a monitor for every alert, which recovers where the policy says', () => {
  const { monitors } = JSON.parse(fileOf('datadog')) as {
    monitors: { name: string; query: string; priority: number; options: { thresholds: Record<string, number> } }[]
  }
  expect(monitors).toHaveLength(read.policy.alerts.length)
  const critical = monitors.find(({ name }) => name.includes('Error rate above 5 %'))
  expect(critical).toMatchObject({
    query: 'min(last_1m):max:dam.signal.error_rate{env:production,window:300s} > 0.05',
    priority: 1,
    options: { thresholds: { critical: 0.05, critical_recovery: 0.03 } },
  })
})

describe('the PagerDuty schedule', () => {
  const { schedules, escalation_policy } = JSON.parse(fileOf('pagerduty')) as {
    schedules: {
      schedule: {
        name: string
        time_zone: string
        schedule_layers: {
          rotation_virtual_start: string
          rotation_turn_length_seconds: number
          users: { user: { id: string } }[]
        }[]
      }
    }[]
    escalation_policy: { escalation_policy: { escalation_rules: { escalation_delay_in_minutes: number }[] } }
  }

  test('has the same people on call as the policy, for primary and secondary', () => {
    const at = new Date('2025-02-12T12:00:00Z')
    const now = onCall({ oncall: staffed.policy.oncall, overrides: [], recorded: [] }, at)
    const inTurn = (which: number): string | undefined => {
      const layer = schedules[which]?.schedule.schedule_layers[0]
      if (!layer) return undefined
      const elapsed = at.getTime() - Temporal.Instant.from(layer.rotation_virtual_start).epochMilliseconds
      return layer.users[Math.floor(elapsed / 1_000 / layer.rotation_turn_length_seconds) % layer.users.length]?.user.id
    }
    const idOf = (id: string | null): string => people.find((person) => person.id === id)?.pagerduty || (id ?? '')
    expect([inTurn(0), inTurn(1)]).toEqual([idOf(now.primary), idOf(now.secondary)])
    expect(schedules[0]?.schedule.time_zone).toBe('Europe/Berlin')
  })

  test('climbs as the policy says, and says who has nobody', () => {
    expect(escalation_policy.escalation_policy.escalation_rules[0]?.escalation_delay_in_minutes).toBe(5)
    expect(exporters['pagerduty']?.export(staffed).unexpressed.join()).toContain('Level 2 (Team lead) has nobody')
  })
})

test('the calendar names whoever is on call', () => {
  expect(fileOf('ical')).toContain('SUMMARY:On call (primary): ')
  expect(fileOf('ical')).toMatch(/^BEGIN:VCALENDAR\r\n/)
})
