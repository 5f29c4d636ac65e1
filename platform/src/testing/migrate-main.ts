import { migrate, readMigrations } from '../migrate.ts'

/** A process that migrates, so that a test can kill it: `node migrate-main.ts <connection string> <folder of migrations>`. */
const [connectionString = '', folder = ''] = process.argv.slice(2)
await migrate({ connectionString, app: 'test', migrations: readMigrations(folder) })
