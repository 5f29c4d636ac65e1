import { scheduleFeed } from '../oncall/ical.ts'
import type { Exporter } from './exporter.ts'

/** The rotation of the coming days for calendars; exceptions and the recorded past are in the feed of the console only. */
export const icalExporter: Exporter = {
  summary: 'the on-call rotation for calendars (RFC 5545)',
  dependsOnTime: true,
  export: ({ policy, hash, consoleUrl, now }) => {
    const unexpressed = ['Exceptions and swaps that people entered: ./dam oncall ical has them, the policy has not.']
    const feed = scheduleFeed(
      { oncall: policy.oncall, overrides: [], recorded: [] },
      { people: policy.people, now, days: policy.oncall.coverageDays, host: new URL(consoleUrl).hostname },
    )
    return {
      files: [
        {
          path: 'oncall.ics',
          text: feed.replace('METHOD:PUBLISH\r\n', `METHOD:PUBLISH\r\nX-WR-CALDESC:from policy ${hash}.\r\n`),
        },
      ],
      unexpressed,
    }
  },
}
