/** Connection string of a PostgreSQL on which the suite shall run instead of the built-in one; its user creates databases. */
export const externalDatabaseUrl = process.env['DAM_TEST_DATABASE_URL']

/** A Redis that tests may flush; undefined when none is offered. */
export const externalRedisUrl = process.env['DAM_TEST_REDIS_URL']
