import { type Convention, OURS } from "./convention.ts";

/** Tables, views, types and schemas as wholes. */
export const RELATIONS: Record<string, Convention> = {
  "every table, leaves included, has row level security": {
    offenders: `
      select c.oid::regclass from pg_class as c
      where c.relnamespace in ${OURS} and c.relkind in ('r', 'p') and not c.relrowsecurity`,
    breach: `create table partitions.probe (id uuid primary key)`,
  },
  "every table has a primary key": {
    offenders: `
      select c.oid::regclass from pg_class as c
      where c.relnamespace in ${OURS} and c.relkind in ('r', 'p')
        and not exists (select from pg_index as i where i.indrelid = c.oid and i.indisprimary)`,
    breach: `create table private.probe (id uuid)`,
  },
  "every view is security_invoker": {
    offenders: `
      select c.oid::regclass from pg_class as c
      where c.relnamespace in ${OURS} and c.relkind = 'v'
        and not coalesce(c.reloptions, '{}') && array['security_invoker=on', 'security_invoker=true']`,
    breach: `create view public.probe as select 1 as one`,
  },
  "no materialized view is in public": {
    offenders: `
      select c.oid::regclass from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind = 'm'`,
    breach: `create materialized view public.probe as select 1 as one`,
  },
  "every table and view but leaves has a comment": {
    offenders: `
      select c.oid::regclass from pg_class as c
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')
        and obj_description(c.oid, 'pg_class') is null`,
    breach: `create table private.probe (id uuid)`,
  },
  "every type has a comment": {
    offenders: `
      select t.oid::regtype from pg_type as t
      left join pg_class as c on c.oid = t.typrelid
      where t.typnamespace in ${OURS} and (t.typtype in ('e', 'd', 'r') or c.relkind = 'c')
        and coalesce(obj_description(t.oid, 'pg_type'), obj_description(c.oid, 'pg_class')) is null`,
    breach: `create type public.probe as enum ('one')`,
  },
  "every schema has a comment": {
    offenders:
      `select n.nspname from pg_namespace as n where n.oid in ${OURS} and obj_description(n.oid, 'pg_namespace') is null`,
    breach: `comment on schema private is null`,
  },
  "no name was cut by Postgres": {
    offenders: `
      select c.relname from pg_class as c
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and length(c.relname) = 63
      union all select p.proname from pg_proc as p where p.pronamespace in ${OURS} and length(p.proname) = 63
      union all select o.conname from pg_constraint as o where o.connamespace in ${OURS} and length(o.conname) = 63`,
    breach:
      `create table private.a_name_that_is_so_long_that_postgres_has_to_cut_it_somewhere_before_the_end (id uuid)`,
  },
};
