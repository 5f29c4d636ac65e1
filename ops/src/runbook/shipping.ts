import { formatDuration } from '../policy/units.ts'
import { by, type Chapter, type RunbookEntry, type RunbookSource } from './chapter.ts'

const gateTexts: Record<string, string> = {
  reviewed: 'Code reviewed and approved',
  tests: 'Tests passing (unit, integration, E2E)',
  security: 'Security scan passed',
  performance: 'Performance tests passed',
  migrations: 'Database migrations tested',
  backup: 'Backup created',
  rollback: 'Rollback plan ready',
}

const evaluated = (lines: readonly string[], page: string): RunbookEntry[] => lines.map((text) => ({ text, page }))

/** Bringing a release to users. */
export function deploymentChapter({ policy }: RunbookSource): Chapter {
  const { checklists, deploy } = policy
  return {
    title: 'Deployment procedures',
    sections: [
      {
        title: 'Pre-deployment checklist',
        entries: [
          ...checklists.preDeployment.map((gate) => ({ text: gateTexts[gate] ?? gate, page: '/gates' })),
          {
            text: 'Every line is evidence bound to the release, never a tick',
            command: './dam gates production v1.0.0',
          },
        ],
      },
      {
        title: '1. Staging deployment',
        entries: [
          by('Take the release from its tag', 'git checkout release/v1.0.0', './dam release build v1.0.0', '/releases'),
          by('Build the frontend', 'pnpm install, pnpm build', './dam build'),
          by('Run the tests', 'pnpm test, pnpm test:e2e', './dam test'),
          { text: 'Deploy to staging', command: './dam deploy staging v1.0.0', page: '/deploy' },
        ],
      },
      { title: '2. Staging verification', entries: evaluated(checklists.staging, '/deployments') },
      {
        title: '3. Production deployment',
        entries: [
          by(
            'Tag the release and push the tag',
            'git tag -a v1.0.0 -m "Release v1.0.0"; git push origin v1.0.0',
            'git tag -a v1.0.0 -m "Release v1.0.0"',
          ),
          { text: 'Deploy to production', command: './dam deploy production v1.0.0', page: '/deploy' },
          by('Verify', `curl ${policy.service.productionUrl}/health`, './dam deployments', '/deployments'),
          {
            text: `The release is watched for ${formatDuration(deploy.bake.production.duration)} with ${Math.round(deploy.controlShare * 100)} % of sessions on the one before`,
          },
        ],
      },
      { title: '4. Post-deployment verification', entries: evaluated(checklists.postDeployment, '/deployments') },
    ],
  }
}

/** Going back. */
export function rollbackChapter({ policy }: RunbookSource): Chapter {
  const { deploy, alerts } = policy
  const critical = alerts.find(({ name }) => name === 'error-rate-critical')
  const share = critical ? critical.threshold.value * 100 : 5
  return {
    title: 'Rollback procedures',
    sections: [
      {
        title: 'Automatic rollback: triggers',
        entries: [
          {
            text: `Error rate above ${share} %`,
            note: 'the judge tells this release from the one before',
            page: '/deployments',
          },
          { text: `Response time above ${formatDuration(deploy.slowerThan)}`, note: 'p95, as a rate of slow requests' },
          { text: 'Health check fails' },
          { text: 'Critical errors detected', note: 'a new, unhandled kind of error' },
        ],
      },
      {
        title: 'Automatic rollback: process',
        entries: [
          { text: 'Automatic rollback triggered', page: '/deployments' },
          { text: 'Previous version restored' },
          { text: 'Team notified', page: '/incidents' },
          {
            text: 'Investigation started',
            note: 'an incident opens by itself with frozen evidence',
            page: '/incidents',
          },
        ],
      },
      {
        title: 'Manual rollback',
        entries: [
          by('Identify the current version', 'git log --oneline -1', './dam version', '/'),
          by('Identify the previous stable version', 'git log --oneline -10', './dam releases', '/releases'),
          by('See what each way back costs', 'git checkout <previous-version-tag>', './dam rollback production --plan'),
          by('Roll back', 'pnpm build, deploy the previous version', './dam rollback production', '/deployments'),
          by('Verify the rollback', `curl ${policy.service.productionUrl}/health`, './dam deployments'),
        ],
      },
      {
        title: 'Database rollback',
        entries: [
          by(
            'If migrations need to go back',
            'python manage.py migrate <app> <previous-migration>',
            './dam migrate <app> <previous-migration>',
          ),
          by(
            'Or restore from a backup',
            'pg_restore -d dam_db backup.dump',
            './dam restore production <backup>',
            '/backups',
          ),
          {
            text: 'A restore never writes over the live database: it is made beside it, compared, and swapped',
            command: './dam drill restore production',
            page: '/drills',
          },
        ],
      },
      {
        title: 'Time target',
        entries: [{ text: `Under ${formatDuration(deploy.rollbackWithin)}`, page: '/drills' }],
      },
    ],
  }
}
