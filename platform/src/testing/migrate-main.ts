import { migrate, readMigrations } from '../migrate.ts'

/** A process that migrates, so that a test can kill it: `node migrate-main.ts <connection string> <folder of migrations> [<app>]`. */
const [connectionString = '', folder = '', app = 'test'] = process.argv.slice(2)
await migrate({ connectionString, app, migrations: readMigrations(folder) })
