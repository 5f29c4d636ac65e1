import type { Chapter, RunbookSource } from './chapter.ts'
import { issuesChapter, troubleshootingChapter, tuningChapter } from './issues.ts'
import { deploymentChapter, rollbackChapter } from './shipping.ts'
import { contactsChapter, healthChapter, maintenanceChapter, monitoringChapter } from './watching.ts'

/** The runbook for people, made of the policy and the commands there are, so that it cannot say anything else than they do. */
export const readRunbook = (source: RunbookSource): Chapter[] => [
  deploymentChapter(source),
  rollbackChapter(source),
  monitoringChapter(source),
  issuesChapter(source),
  contactsChapter(source),
  maintenanceChapter(source),
  healthChapter(source),
  troubleshootingChapter(),
  tuningChapter(),
]

/** The same as Markdown. */
export const runbookText = (chapters: readonly Chapter[]): string =>
  chapters
    .map(({ title, sections }) =>
      [
        `# ${title}`,
        ...sections.map(({ title: name, entries }) =>
          [
            `## ${name}`,
            entries
              .map(({ text, note, instead, command, page, url }) => {
                const details = [
                  note,
                  command && `\`${command}\`${instead ? ` (was: \`${instead}\`)` : ''}`,
                  page && `console: ${page}`,
                  url,
                ].filter(Boolean)
                return [`- ${text}`, ...details.map((detail) => `  ${detail}`)].join('\n')
              })
              .join('\n'),
          ].join('\n\n'),
        ),
      ].join('\n\n'),
    )
    .join('\n\n')
