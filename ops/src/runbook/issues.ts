import { formatDuration } from '../policy/units.ts'
import { by, type Chapter, type RunbookEntry, type RunbookSource } from './chapter.ts'

const step = (text: string, command?: string, page?: string): RunbookEntry => ({
  text,
  ...(command === undefined ? {} : { command }),
  ...(page === undefined ? {} : { page }),
})

/** The five common issues: how one sees them, what finds the cause, what is done. */
export function issuesChapter({ policy }: RunbookSource): Chapter {
  const { productionUrl, cdnUrl } = policy.service
  const level2 = policy.escalation.levels.find(({ level }) => level === 2)
  return {
    title: 'Common issues and solutions',
    sections: [
      {
        title: 'Issue 1: high error rate',
        entries: [
          step('Symptoms: error rate above 1 %, users report issues, alerts fire', undefined, '/alerts'),
          step('What is the matter', './dam diagnose errors'),
          step('Check Sentry for errors', undefined, '/runbook'),
          by('Check the application log', 'tail -f /var/log/dam/app.log | grep ERROR', './dam logs --errors --follow'),
          by('Check the database', 'SELECT * FROM error_log ORDER BY timestamp DESC LIMIT 10', './dam diagnose errors'),
          step('API errors: backend health, rate limits, database connections', './dam db connections'),
          step('Frontend errors: browser console, CDN status, build integrity', './dam cdn check'),
          step(
            'Database errors: connection pool, query performance, disk space',
            './dam diagnose database',
            '/signals',
          ),
          step('Error rate above 5 %: immediate rollback', './dam rollback production', '/deployments'),
          {
            text: `Persists for more than ${formatDuration(policy.severities.P1.acknowledgeWithin)}: escalate to ${level2?.title ?? 'level 2'}`,
            note: 'the escalation does it by itself while nobody acknowledges',
            page: '/incidents',
          },
        ],
      },
      {
        title: 'Issue 2: slow response times',
        entries: [
          step('Symptoms: response time above 1 s, users complain, timeouts', undefined, '/signals'),
          step('What is the matter', './dam diagnose slow'),
          by(
            'Check API response times',
            `curl -w "@curl-format.txt" ${productionUrl}/api/v4/dam/assets/`,
            './dam timings /api/v4/dam/assets/',
          ),
          by('Check database queries', 'Django Debug Toolbar or similar', './dam db slow'),
          step('Check CDN performance and network latency', './dam cdn check'),
          step('API slow: queries, cache hit rate, external calls, scale up', './dam diagnose slow'),
          step('Frontend slow: bundle size, CDN cache, image optimisation, lazy loading', './dam gate run performance'),
          step('Database slow: slow queries, indexes, optimise, scale', './dam db sizes'),
        ],
      },
      {
        title: 'Issue 3: high memory usage',
        entries: [
          step('Symptoms: memory above 80 %, application slow, out of memory', undefined, '/signals'),
          by('Check memory usage', 'free -h; ps aux | grep dam', './dam diagnose memory'),
          step(
            'Memory leak: slope since start and since the release; restart, fix in the next release',
            './dam fix <number>',
          ),
          step('High load: scale horizontally, use less memory, add resources', './dam diagnose memory'),
        ],
      },
      {
        title: 'Issue 4: database connection issues',
        entries: [
          step('Symptoms: connection errors, timeouts, many connections', undefined, '/alerts'),
          by('Count the connections', 'SELECT count(*) FROM pg_stat_activity', './dam db connections'),
          step('Check the connection pool and the log of the database', './dam diagnose database'),
          step('Pool exhausted: increase the pool, find the leak, restart', './dam db blockers'),
          step('Database down: health, restart, fail over to a replica', './dam diagnose database'),
        ],
      },
      {
        title: 'Issue 5: CDN and cache issues',
        entries: [
          step('Symptoms: assets load slowly, 404 for assets, cache does not update', undefined, '/signals'),
          by('Check the CDN', `curl -I ${cdnUrl}/asset.jpg`, './dam cdn check'),
          by('Check cache headers', `curl -I ${productionUrl}/ | grep -i cache`, './dam cdn check /'),
          step('Check the log of the CDN', './dam diagnose cdn'),
          step('Cache not updating: purge, check headers, update the strategy', './dam cdn purge <address> --yes'),
          step('CDN down: fail over to the origin, ask the provider', './dam diagnose cdn'),
        ],
      },
    ],
  }
}

/** The runbook's own command lines, each with what takes its place. */
export const troubleshootingChapter = (): Chapter => ({
  title: 'Troubleshooting commands',
  sections: [
    {
      title: 'Application logs',
      entries: [
        by('Recent lines', 'tail -f /var/log/dam/app.log', './dam logs --follow'),
        by('Errors', 'grep ERROR /var/log/dam/app.log | tail -20', './dam logs --errors -n 20'),
        by('One user', 'grep "user_id:123" /var/log/dam/app.log', './dam logs --user 123'),
      ],
    },
    {
      title: 'Database queries',
      entries: [
        by('Active connections', 'SELECT count(*) FROM pg_stat_activity', './dam db connections'),
        by('Slow queries', 'pg_stat_statements ORDER BY total_time DESC LIMIT 10', './dam db slow'),
        by('Table sizes', 'pg_size_pretty(pg_total_relation_size(…)) of pg_tables', './dam db sizes'),
      ],
    },
    {
      title: 'Cache status',
      entries: [
        by('State of the cache', 'redis-cli INFO stats', './dam cache stats'),
        by('Keys of the cache', 'redis-cli KEYS "dam:*" | head -20', './dam cache keys'),
        by('Clear the cache', 'redis-cli FLUSHDB', './dam cache clear --yes'),
      ],
    },
  ],
})

export const tuningChapter = (): Chapter => ({
  title: 'Performance tuning',
  sections: [
    {
      title: 'Frontend optimisation',
      entries: [
        step('1. Bundle size', './dam gate run performance', '/gates'),
        step('2. Image optimisation', './dam timings'),
        step('3. Lazy loading', './dam gate run performance', '/gates'),
        step('4. CDN cache hit rate', './dam cdn check'),
        step('5. API response times', './dam timings /api/v4/dam/assets/', '/signals'),
      ],
    },
    {
      title: 'Backend optimisation',
      entries: [
        step('1. Query performance', './dam db slow'),
        step('2. Cache hit rate', './dam cache stats'),
        step('3. Connection pool', './dam db connections', '/signals'),
        step('4. External calls', './dam diagnose slow'),
        step('5. Scale horizontally if needed', './dam diagnose slow'),
      ],
    },
  ],
})
