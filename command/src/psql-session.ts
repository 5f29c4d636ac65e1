/**
 * Options of a person's session in psql. The schema `dam_compat` holds the view `pg_stat_statements` with `total_time` and its sisters as they
 * were called before PostgreSQL 13, so that the runbook's lines work as they stand. Only sessions that ask for it see it.
 */
export const psqlSessionOptions = '-c search_path=dam_compat,public'
