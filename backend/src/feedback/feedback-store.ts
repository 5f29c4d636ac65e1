import { sql, type Database, type Querier } from '@dam/platform/database'

export type Rating = { accountId: number; rating: number; comment: string; release: string }

/** What somebody says within an hour of saying something else takes its place: a change of mind, or a second click. */
export const saveRating = (database: Database, rating: Rating): Promise<void> =>
  database.transaction(async (tx) => {
    await tx.run(sql`select from account where id = ${rating.accountId} for no key update`)
    await tx.run(sql`
      delete from satisfaction_rating where account_id = ${rating.accountId} and at > now() - interval '1 hour'`)
    await tx.run(sql`
      insert into satisfaction_rating (account_id, rating, comment, release)
      values (${rating.accountId}, ${rating.rating}, ${rating.comment}, ${rating.release})`)
  })

export type Satisfaction = {
  /** Share of people whose last rating is 4 or 5; null when nobody rated. */
  ratio: number | null
  people: number
}

/** Over the last 30 days; each person counts once. */
export async function satisfactionNow(querier: Querier): Promise<Satisfaction> {
  const row = await querier.row<Satisfaction>(sql`
    select (avg((rating >= 4)::int))::float8 as ratio, count(*)::int as people from (
      select distinct on (account_id) rating from satisfaction_rating
      where at > now() - interval '30 days' order by account_id, at desc) last_of_each`)
  return row ?? { ratio: null, people: 0 }
}
