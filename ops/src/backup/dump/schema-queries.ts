import type { Phase } from './schema-object.ts'

/** Ours: not the server's, not a session's own, not made by an extension. */
export const ours = (namespace: string, catalog: string, oid: string): string => `
  ${namespace}::regnamespace::text !~ '^(pg_|information_schema$)'
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = '${catalog}'::pg_catalog.regclass and d.objid = ${oid} and d.deptype = 'e')`

const oursOf = (alias: string, namespace: string, catalog: string) =>
  ours(`${alias}.${namespace}`, `pg_catalog.${catalog}`, `${alias}.oid`)
const relation = oursOf('c', 'relnamespace', 'pg_class')
const key = (catalog: string, oid: string) => `'${catalog}:' || ${oid}`
const schemaOf = (namespace: string) => `(select nspname from pg_catalog.pg_namespace where oid = ${namespace})`

const columns = `
  select string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
      case when a.attcollation <> t.typcollation then 'collate ' || a.attcollation::regcollation end,
      case when a.attidentity <> '' then 'generated ' || case a.attidentity when 'a' then 'always' else 'by default' end
        || (select format(' as identity (sequence name %s increment %s minvalue %s maxvalue %s start %s cache %s%s)', q.seqrelid::regclass,
                          q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, case when q.seqcycle then ' cycle' else '' end)
            from pg_catalog.pg_depend d join pg_catalog.pg_sequence q on q.seqrelid = d.objid
            where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
              and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype = 'i') end,
      case when a.attgenerated = 's' then 'generated always as (' || pg_get_expr(ad.adbin, ad.adrelid) || ') stored'
           when a.attgenerated = 'v' then 'generated always as (' || pg_get_expr(ad.adbin, ad.adrelid) || ') virtual'
           when ad.adbin is not null then 'default ' || pg_get_expr(ad.adbin, ad.adrelid) end,
      case when a.attnotnull then 'not null' end), E',\\n  ' order by a.attnum)
  from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`

/** Column settings that CREATE TABLE of PostgreSQL 15 does not take. */
const columnSettings = `
  select coalesce(string_agg(s.line, '' order by a.attnum, s.line), '')
  from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid,
  lateral (values
    (case when a.attstorage <> t.typstorage then format(E';\\nalter table only %s alter column %I set storage %s', c.oid::regclass, a.attname,
        case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end) end),
    (case when a.attcompression <> '' then format(E';\\nalter table only %s alter column %I set compression %s', c.oid::regclass, a.attname,
        case a.attcompression when 'l' then 'lz4' else 'pglz' end) end),
    (case when a.attstattarget >= 0 then format(E';\\nalter table only %s alter column %I set statistics %s', c.oid::regclass, a.attname, a.attstattarget) end)
  ) s (line)
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and s.line is not null`

/** Each gives key, kind, tag, schema, create, drop of one kind of object. */
export const schemaQueries: { phase: Phase; text: string }[] = [
  {
    phase: 'schema',
    text: `select ${key('pg_namespace', 'n.oid')} as key, 'SCHEMA' as kind, nspname as tag, '' as schema,
             format('create schema %I', nspname) as create, format('drop schema if exists %I', nspname) as drop
           from pg_catalog.pg_namespace n where nspname !~ '^(pg_|information_schema$|public$)'
             and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')`,
  },
  {
    phase: 'extension',
    text: `select ${key('pg_extension', 'e.oid')} as key, 'EXTENSION' as kind, extname as tag, '' as schema,
             format('create extension if not exists %I with schema %I', extname, nspname) as create,
             format('drop extension if exists %I', extname) as drop
           from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = extnamespace where extname <> 'plpgsql'`,
  },
  {
    phase: 'type',
    text: `select ${key('pg_collation', 'c.oid')} as key, 'COLLATION' as kind, collname as tag, ${schemaOf('collnamespace')} as schema,
             format('create collation %s (provider = %s, %s%s%s)', c.oid::regcollation,
               case collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
               case when collprovider = 'c' then format('lc_collate = %L, lc_ctype = %L', collcollate, collctype)
                    else format('locale = %L', coalesce(to_jsonb(c)->>'colllocale', to_jsonb(c)->>'colliculocale')) end,
               case when collisdeterministic then '' else ', deterministic = false' end,
               coalesce(', rules = ' || quote_literal(to_jsonb(c)->>'collicurules'), '')) as create,
             format('drop collation if exists %s', c.oid::regcollation) as drop
           from pg_catalog.pg_collation c where ${oursOf('c', 'collnamespace', 'pg_collation')}`,
  },
  {
    phase: 'type',
    text: `select ${key('pg_type', 't.oid')} as key, case t.typtype when 'd' then 'DOMAIN' else 'TYPE' end as kind, t.typname as tag, ${schemaOf('t.typnamespace')} as schema,
             case t.typtype
               when 'e' then format(E'create type %s as enum (\\n  %s\\n)', t.oid::regtype,
                 (select string_agg(quote_literal(enumlabel), E',\\n  ' order by enumsortorder) from pg_catalog.pg_enum where enumtypid = t.oid))
               when 'd' then format('create domain %s as %s%s%s%s%s', t.oid::regtype, format_type(t.typbasetype, t.typtypmod),
                 case when t.typcollation <> b.typcollation then ' collate ' || t.typcollation::regcollation else '' end,
                 case when t.typdefault is null then '' else ' default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) end,
                 case when t.typnotnull then ' not null' else '' end,
                 coalesce((select string_agg(format(' constraint %I %s', c.conname, pg_get_constraintdef(c.oid)), '' order by c.conname)
                           from pg_catalog.pg_constraint c where c.contypid = t.oid and c.contype = 'c'), ''))
               else format(E'create type %s as (\\n  %s\\n)', t.oid::regtype,
                 (select string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                    case when a.attcollation <> at.typcollation then 'collate ' || a.attcollation::regcollation end), E',\\n  ' order by a.attnum)
                  from pg_catalog.pg_attribute a join pg_catalog.pg_type at on at.oid = a.atttypid
                  where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) end as create,
             format('drop %s if exists %s', case t.typtype when 'd' then 'domain' else 'type' end, t.oid::regtype) as drop
           from pg_catalog.pg_type t left join pg_catalog.pg_type b on b.oid = t.typbasetype left join pg_catalog.pg_class r on r.oid = t.typrelid
           where (t.typtype in ('e', 'd') or (t.typtype = 'c' and r.relkind = 'c')) and ${oursOf('t', 'typnamespace', 'pg_type')}`,
  },
  {
    phase: 'sequence',
    text: `select ${key('pg_class', 'c.oid')} as key, 'SEQUENCE' as kind, relname as tag, ${schemaOf('relnamespace')} as schema,
             format('create sequence %s as %s increment %s minvalue %s maxvalue %s start %s cache %s%s', c.oid::regclass, format_type(s.seqtypid, null),
               s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then ' cycle' else '' end) as create,
             format('drop sequence if exists %s', c.oid::regclass) as drop
           from pg_catalog.pg_sequence s join pg_catalog.pg_class c on c.oid = s.seqrelid
           where ${relation} and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'i')`,
  },
  {
    phase: 'owned-sequence',
    text: `select 'owned:' || c.oid as key, 'SEQUENCE OWNED BY' as kind, c.relname as tag, ${schemaOf('c.relnamespace')} as schema,
             format('alter sequence %s owned by %s.%I', c.oid::regclass, d.refobjid::regclass, a.attname) as create, '' as drop
           from pg_catalog.pg_class c
           join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype = 'a'
           join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
           where c.relkind = 'S' and ${relation}`,
  },
  {
    phase: 'function',
    text: `select ${key('pg_proc', 'p.oid')} as key, case p.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end as kind,
             format('%I(%s)', proname, pg_get_function_identity_arguments(p.oid)) as tag, ${schemaOf('pronamespace')} as schema,
             pg_get_functiondef(p.oid) as create, format('drop routine if exists %s', p.oid::regprocedure) as drop
           from pg_catalog.pg_proc p where p.prokind in ('f', 'p', 'w') and ${oursOf('p', 'pronamespace', 'pg_proc')}`,
  },
  {
    phase: 'table',
    text: `select ${key('pg_class', 'c.oid')} as key, 'TABLE' as kind, relname as tag, ${schemaOf('relnamespace')} as schema,
             format(E'create %stable %s (\\n  %s\\n)%s%s', case c.relpersistence when 'u' then 'unlogged ' else '' end, c.oid::regclass, (${columns}),
               case when c.reloptions is not null then ' with (' || array_to_string(c.reloptions, ', ') || ')' else '' end,
               (${columnSettings})) as create,
             format('drop table if exists %s', c.oid::regclass) as drop
           from pg_catalog.pg_class c where c.relkind = 'r' and ${relation}`,
  },
  {
    phase: 'view',
    text: `select ${key('pg_class', 'c.oid')} as key, case c.relkind when 'm' then 'MATERIALIZED VIEW' else 'VIEW' end as kind, relname as tag, ${schemaOf('relnamespace')} as schema,
             format(E'create %sview %s%s as\\n%s%s', case c.relkind when 'm' then 'materialized ' else '' end, c.oid::regclass,
               case when c.reloptions is not null then ' with (' || array_to_string(c.reloptions, ', ') || ')' else '' end,
               rtrim(pg_get_viewdef(c.oid), ';'), case c.relkind when 'm' then E'\\nwith no data' else '' end) as create,
             format('drop %sview if exists %s', case c.relkind when 'm' then 'materialized ' else '' end, c.oid::regclass) as drop
           from pg_catalog.pg_class c where c.relkind in ('v', 'm') and ${relation}`,
  },
  {
    phase: 'refresh',
    text: `select 'refresh:' || c.oid as key, 'MATERIALIZED VIEW DATA' as kind, relname as tag, ${schemaOf('relnamespace')} as schema,
             format('refresh materialized view %s', c.oid::regclass) as create, '' as drop
           from pg_catalog.pg_class c where c.relkind = 'm' and c.relispopulated and ${relation}`,
  },
  ...(['check', 'constraint', 'foreign-key'] as const).map((phase) => ({
    phase,
    text: `select ${key('pg_constraint', 'k.oid')} as key,
             '${{ check: 'CHECK CONSTRAINT', constraint: 'CONSTRAINT', 'foreign-key': 'FK CONSTRAINT' }[phase]}' as kind,
             format('%s %s', c.relname, k.conname) as tag, ${schemaOf('c.relnamespace')} as schema,
             format('alter table only %s add constraint %I %s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid)) as create,
             format('alter table if exists only %s drop constraint if exists %I', c.oid::regclass, k.conname) as drop
           from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
           where k.contype in (${{ check: `'c'`, constraint: `'p', 'u', 'x'`, 'foreign-key': `'f'` }[phase]}) and ${relation}`,
  })),
  {
    phase: 'index',
    text: `select ${key('pg_class', 'x.oid')} as key, 'INDEX' as kind, x.relname as tag, ${schemaOf('x.relnamespace')} as schema,
             pg_get_indexdef(x.oid) as create, format('drop index if exists %s', x.oid::regclass) as drop
           from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indrelid join pg_catalog.pg_class x on x.oid = i.indexrelid
           where i.indisvalid and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')) and ${relation}`,
  },
  {
    phase: 'statistics',
    text: `select ${key('pg_statistic_ext', 's.oid')} as key, 'STATISTICS' as kind, stxname as tag, ${schemaOf('stxnamespace')} as schema,
             pg_get_statisticsobjdef(s.oid) as create, format('drop statistics if exists %I.%I', ${schemaOf('stxnamespace')}, stxname) as drop
           from pg_catalog.pg_statistic_ext s where ${oursOf('s', 'stxnamespace', 'pg_statistic_ext')}`,
  },
  {
    phase: 'trigger',
    text: `select ${key('pg_trigger', 'g.oid')} as key, 'TRIGGER' as kind, format('%s %s', c.relname, g.tgname) as tag, ${schemaOf('c.relnamespace')} as schema,
             pg_get_triggerdef(g.oid) || case g.tgenabled when 'O' then '' else format(E';\\nalter table %s %s trigger %I', c.oid::regclass,
               case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, g.tgname) end as create,
             format('drop trigger if exists %I on %s', g.tgname, c.oid::regclass) as drop
           from pg_catalog.pg_trigger g join pg_catalog.pg_class c on c.oid = g.tgrelid where not g.tgisinternal and ${relation}`,
  },
  {
    phase: 'row-security',
    text: `select 'security:' || c.oid as key, 'ROW SECURITY' as kind, relname as tag, ${schemaOf('relnamespace')} as schema,
             format('alter table %s enable row level security', c.oid::regclass)
               || case when c.relforcerowsecurity then format(E';\\nalter table %s force row level security', c.oid::regclass) else '' end as create, '' as drop
           from pg_catalog.pg_class c where c.relrowsecurity and ${relation}`,
  },
]

/** Comments on anything of ours; the type says in which words. */
export const commentQuery = `
  select d.classoid::regclass::text || ':' || d.objoid as of, o.type, o.identity, d.description as text, coalesce(o.schema, '') as schema
  from pg_catalog.pg_description d, pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) o
  where d.objoid >= 16384 and o.type not in ('extension', 'operator family', 'operator class', 'cast')
    and not exists (select from pg_catalog.pg_depend x where x.classid = d.classoid and x.objid = d.objoid and x.deptype = 'e')`

/** What a database can have that is not written here. Better no dump than one that leaves it out silently. */
export const unsupportedQuery = `
  select pg_describe_object(classid, oid, 0) as what from (
    select 'pg_catalog.pg_proc'::regclass as classid, p.oid from pg_catalog.pg_proc p where p.prokind = 'a' and ${oursOf('p', 'pronamespace', 'pg_proc')}
    union all select 'pg_catalog.pg_class'::regclass, c.oid from pg_catalog.pg_class c
      where (c.relkind in ('p', 'f') or c.relispartition or exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)) and ${relation}
    union all select 'pg_catalog.pg_policy'::regclass, oid from pg_catalog.pg_policy
    union all select 'pg_catalog.pg_event_trigger'::regclass, oid from pg_catalog.pg_event_trigger
    union all select 'pg_catalog.pg_publication'::regclass, oid from pg_catalog.pg_publication
    union all select 'pg_catalog.pg_type'::regclass, t.oid from pg_catalog.pg_type t
      where t.typtype = 'r' and ${oursOf('t', 'typnamespace', 'pg_type')}
    union all select 'pg_catalog.pg_operator'::regclass, o.oid from pg_catalog.pg_operator o where ${oursOf('o', 'oprnamespace', 'pg_operator')}
    union all select 'pg_catalog.pg_ts_config'::regclass, s.oid from pg_catalog.pg_ts_config s where ${oursOf('s', 'cfgnamespace', 'pg_ts_config')}
    union all select 'pg_catalog.pg_ts_dict'::regclass, s.oid from pg_catalog.pg_ts_dict s where ${oursOf('s', 'dictnamespace', 'pg_ts_dict')}
    union all select 'pg_catalog.pg_rewrite'::regclass, r.oid from pg_catalog.pg_rewrite r join pg_catalog.pg_class c on c.oid = r.ev_class
      where r.rulename <> '_RETURN' and ${relation}
    union all select 'pg_catalog.pg_class'::regclass, 2613 from pg_catalog.pg_largeobject_metadata limit 20
  ) found limit 20`

/**
 * Who needs whom, with what is part of something else counted as that: defaults and row types as their table, rules as their view, an
 * index of a constraint as the constraint, members as their extension.
 */
export const dependencyQuery = `
  with part (classid, objid, of) as (
    select 'pg_catalog.pg_attrdef'::regclass, oid, 'pg_class:' || adrelid from pg_catalog.pg_attrdef
    union all select 'pg_catalog.pg_rewrite'::regclass, oid, 'pg_class:' || ev_class from pg_catalog.pg_rewrite
    union all select 'pg_catalog.pg_type'::regclass, t.oid, 'pg_class:' || t.typrelid
      from pg_catalog.pg_type t join pg_catalog.pg_class c on c.oid = t.typrelid where c.relkind <> 'c'
    union all select 'pg_catalog.pg_class'::regclass, c.oid, 'pg_type:' || c.reltype from pg_catalog.pg_class c where c.relkind = 'c'
    union all select 'pg_catalog.pg_type'::regclass, a.oid, coalesce('pg_class:' || c.oid, 'pg_type:' || e.oid)
      from pg_catalog.pg_type a join pg_catalog.pg_type e on e.oid = a.typelem and e.typarray = a.oid
      left join pg_catalog.pg_class c on c.oid = e.typrelid and c.relkind <> 'c'
    union all select 'pg_catalog.pg_class'::regclass, k.conindid, 'pg_constraint:' || k.oid
      from pg_catalog.pg_constraint k where k.contype in ('p', 'u', 'x') and k.conindid <> 0
    union all select classid, objid, 'pg_extension:' || refobjid from pg_catalog.pg_depend where deptype = 'e'
    union all select d.classid, d.objid, 'pg_class:' || d.refobjid from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype = 'i'
  )
  select distinct coalesce(mine.of, replace(d.classid::regclass::text, 'pg_catalog.', '') || ':' || d.objid) as key,
         coalesce(theirs.of, replace(d.refclassid::regclass::text, 'pg_catalog.', '') || ':' || d.refobjid) as needs
  from pg_catalog.pg_depend d
  left join part mine on mine.classid = d.classid and mine.objid = d.objid
  left join part theirs on theirs.classid = d.refclassid and theirs.objid = d.refobjid
  where d.objid >= 16384 and d.refobjid >= 16384 and d.deptype <> 'e'
    -- A sequence that belongs to a column is made before its table and given to it afterwards.
    and not (d.deptype = 'a' and d.classid = 'pg_catalog.pg_class'::regclass
             and exists (select from pg_catalog.pg_class c where c.oid = d.objid and c.relkind = 'S'))`
