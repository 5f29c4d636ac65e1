import { connect } from '../connect.ts'

/** Fills a migrated database with one of everything that is hard to write down: odd text, nulls, arrays, JSON, jobs, and objects DAM itself has none of yet. */
export async function addSampleRows(connectionString: string): Promise<void> {
  await using client = await connect(connectionString, 'test')
  await client.query(String.raw`
    insert into account (username, password_hash, role, display_name) values ('anna', 'x', 'administrator', E'tab\there\nline \\ back\\.\r "quoted" 日本語 🎉'), ('ben', '\N', 'viewer', '\.');
    insert into blob (sha256, size_bytes) select encode(sha256(n::text::bytea), 'hex'), n from generate_series(1, 500) n;
    insert into asset (owner_id, sha256, size_bytes, filename, label, tags, captured_at)
      select 1, encode(sha256(n::text::bytea), 'hex'), n, E'IMG_' || n || E'\t\\.jpg', repeat('ä', n % 90), array['a,b', 'c"d', '{}', ''], case when n % 2 = 0 then now() end
      from generate_series(1, 500) n;
    update asset set label = 'changed' where id % 7 = 0;
    delete from asset where id % 11 = 0;
    insert into asset_embedded (asset_id, fields, raw) select id, '{"a": [1, null, "\u00fc\n"]}', '{}' from asset;
    insert into asset_search (asset_id, document) select id, to_tsvector('simple', filename || ' ' || label) from asset;
    insert into collection (name, owner_id) values ('Ünïcode', 1);
    insert into collection_asset (collection_id, asset_id) select 1, id from asset where id % 3 = 0;
    select graphile_worker.add_job('ingest', '{"asset": 1}', job_key := 'k', run_at := now() + interval '1 day');
    select nextval('event_seq'), nextval('event_seq');
    create schema "Odd schema";
    create type "Odd schema".mood as enum ('good', 'it''s bad');
    create domain "Odd schema".small as integer default 3 check (value < 10);
    create type "Odd schema".pair as (a "Odd schema".mood, b text collate "C");
    create function "Odd schema".twice(n integer) returns integer language sql immutable return n * 2;
    create table "Odd schema"."Odd table" (
      id serial primary key, always bigint generated always as identity (start with 10 increment by 5),
      size "Odd schema".small, doubled integer generated always as ("Odd schema".twice(size)) stored,
      "the mood" "Odd schema".mood, pairs "Odd schema".pair[], data bytea, "when" interval, exact numeric(20, 5), real double precision,
      constraint "odd check" check ("Odd schema".twice(id) > 0), exclude using gist (int4range(id, id, '[]') with &&)
    ) with (fillfactor = 80);
    alter table "Odd schema"."Odd table" alter column data set storage external;
    comment on table "Odd schema"."Odd table" is 'it''s a comment';
    comment on constraint "odd check" on "Odd schema"."Odd table" is 'checked';
    create function "Odd schema".rows() returns setof "Odd schema"."Odd table" language sql stable as 'select * from "Odd schema"."Odd table"';
    create view "Odd schema".v as select t.*, "Odd schema".twice(id) as more from "Odd schema"."Odd table" t;
    create materialized view "Odd schema".m as select id from "Odd schema".v;
    create statistics "Odd schema".s on id, size from "Odd schema"."Odd table";
    insert into "Odd schema"."Odd table" (size, "the mood", pairs, data, "when", exact, real)
      values (4, 'it''s bad', array[row('good', E'x\ty')::"Odd schema".pair], '\x00ff0a5c', '1 year -3 days 04:05:06.7', 12345.67890, 0.1), (default, null, null, null, null, 'NaN', 'infinity');
    create table "Odd schema".nothing ();
    refresh materialized view "Odd schema".m`)
}
