import { type Convention, OURS } from "./convention.ts";

/** What monthly tables and their leaves have. */
export const PARTITIONS: Record<string, Convention> = {
  "every partitioned table is registered": {
    offenders: `
      select c.oid::regclass from pg_class as c
      where c.relnamespace in ${OURS} and c.relkind = 'p'
        and not exists (select from private.partitioned_tables as managed where c.oid = to_regclass(format('public.%I', managed.table_name)))`,
    breach: `create table public.probe (id uuid primary key) partition by range (id)`,
  },
  "every registered table is partitioned": {
    offenders: `
      select managed.table_name from private.partitioned_tables as managed
      left join pg_class as c on c.oid = to_regclass(format('public.%I', managed.table_name))
      where c.relkind is distinct from 'p'`,
    breach: `insert into private.partitioned_tables (table_name) values ('profiles')`,
  },
  "every partitioned table has a default leaf, this month's and the next three": {
    offenders: `
      select managed.table_name || suffix from private.partitioned_tables as managed
      cross join (
        select '_default' as suffix
        union all select to_char(now() at time zone 'UTC' + make_interval(months => month), '_YYYY_MM') from generate_series(0, 3) as month
      ) as expected
      where not exists (
        select from pg_inherits as leaf
        where leaf.inhparent = to_regclass(format('public.%I', managed.table_name))
          and leaf.inhrelid = to_regclass(format('partitions.%I', managed.table_name || suffix))
      )`,
    breach: `alter table public.whatsapp_events detach partition partitions.whatsapp_events_default`,
  },
  "every leaf is in the schema partitions": {
    offenders: `
      select leaf.oid::regclass from pg_inherits as inheritance
      join pg_class as leaf on leaf.oid = inheritance.inhrelid
      where leaf.relkind = 'r' and leaf.relnamespace <> 'partitions'::regnamespace`,
    breach: `
      alter table public.whatsapp_events detach partition partitions.whatsapp_events_default;
      create table public.probe partition of public.whatsapp_events default`,
  },
  "partitioned tables and their leaves refuse to be truncated": {
    offenders: `
      select c.oid::regclass from pg_class as c
      where (c.relnamespace = 'partitions'::regnamespace and c.relkind = 'r' or c.relnamespace = 'public'::regnamespace and c.relkind = 'p')
        and not exists (
          select from pg_trigger as t
          where t.tgrelid = c.oid and t.tgfoid = 'private.refuse_truncate()'::regprocedure and t.tgenabled = 'O'
        )`,
    breach: `alter table partitions.whatsapp_events_default disable trigger refuse_truncate`,
  },
};
