import { config } from './config.ts'

type Bench = { about: string; load: () => Promise<{ run: () => Promise<void> }> }

const benches: Record<string, Bench> = {
  ingest: {
    about: '240 photos of about 3 MB through tus to their previews, beside the raw parts',
    load: () => import('./ingest.ts'),
  },
  list: {
    about: 'first page, deep pages, filters and search at 10 000, 100 000 and 1 000 000 assets',
    load: () => import('./list.ts'),
  },
  thumbnail: { about: 'cached thumbnails at 64 connections', load: () => import('./thumbnail.ts') },
  gallery: {
    about: 'the gallery in a cold browser: first grid, bytes, layout shift, scrolling',
    load: () => import('./gallery.ts'),
  },
  lighthouse: { about: 'Lighthouse, desktop, on sign-in and gallery', load: () => import('./lighthouse.ts') },
  start: { about: 'second start until ready; memory at rest', load: () => import('./start.ts') },
  swap: {
    about: '20 swaps of the front between two web processes at 200 requests a second, uploads and event streams open',
    load: () => import('./swap.ts'),
  },
  release: {
    about: 'a release of HEAD: built twice, installed without a network, started as a rollback would',
    load: () => import('./release.ts'),
  },
  restore: {
    about: 'backup, restore and restore drill on 100 000 assets, beside raw COPY and pg_dump',
    load: () => import('./restore.ts'),
  },
  judge: {
    about: 'simulated bakes: false rollbacks of healthy releases, seconds until bad ones are noticed',
    load: () => import('./judge.ts'),
  },
  rollback: {
    about: 'rounds of bad and healthy miniature releases: detection, restored traffic, errors served, false rollbacks',
    load: () => import('./rollback.ts'),
  },
  lock: {
    about: 'deployers at once, beside rollbacks and maintenance, killed, stopped and overtaken: who holds the lock',
    load: () => import('./lock.ts'),
  },
  'alert-kill': {
    about: '100 kill -9 of the ops process while incidents open and climb; pages lost; the same for Alertmanager',
    load: () => import('./alert-kill.ts'),
  },
  'alert-power': {
    about: '100 power cuts of the ops process on a disk that forgets what was not synced, as root; pages lost',
    load: () => import('./alert-power.ts'),
  },
  storm: {
    about: '10 000 alerts in 1 s and in 60 s, one of a hundred critical: pages, first page, memory',
    load: () => import('./storm.ts'),
  },
  simulate: {
    about: '100 000 simulated hours of incidents, schedules, crashes, clock jumps and outages: broken promises',
    load: () => import('./simulate.ts'),
  },
  schedule: {
    about: 'who is on call in all IANA zones over ten years, against an oracle that only reads wall clocks',
    load: () => import('./schedule.ts'),
  },
  diagnosis: {
    about: "the runbook's five issues injected at random: how often the right cause comes first",
    load: () => import('./diagnosis.ts'),
  },
  kill: { about: '200 uploads through 50 kill -9 of the web process', load: () => import('./kill.ts') },
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in benches))
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no bench ${unknown.join(', ')}.\n`)
  console.log('Usage: pnpm bench <name> …\n')
  for (const [name, { about }] of Object.entries(benches)) console.log(`  ${name.padEnd(12)}${about}`)
  process.exit(unknown.length > 0 ? 1 : 0)
}
if (config.quick) console.log('DAM_BENCH_QUICK=1: measuring less; results go to the scratch directory')
for (const name of names) {
  const startedAt = performance.now()
  await (await benches[name]?.load())?.run()
  console.log(`${name} took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
}
process.exit()
