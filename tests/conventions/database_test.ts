import { assertEquals, assertNotEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../support/database.ts";

interface Convention {
  /** Lists the offenders, one per row. */
  offenders: string;
  /** Statements that break the convention, to see that the offender is found. */
  breach: string;
}

/** `pg_proc`, `pg_class` ... of our four schemas alone. */
const OURS = `('public'::regnamespace, 'private'::regnamespace, 'partitions'::regnamespace, 'archive'::regnamespace)`;

const FUNCTIONS: Record<string, Convention> = {
  "every function pins its search_path": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace in ${OURS} and not coalesce(p.proconfig, '{}') @> array['search_path=""']`,
    breach: `create function private.probe() returns integer language sql as 'select 1'`,
  },
  "no function of public is SECURITY DEFINER": {
    offenders: `select p.oid::regprocedure from pg_proc as p where p.pronamespace = 'public'::regnamespace and p.prosecdef`,
    breach: `create function public.probe() returns integer language sql security definer as 'select 1'`,
  },
  "no two functions share a name": {
    offenders: `
      select format('%s.%s', p.pronamespace::regnamespace, p.proname) from pg_proc as p where p.pronamespace in ${OURS}
      group by p.pronamespace, p.proname having count(*) > 1`,
    breach: `create function private.uuid_v7(integer) returns uuid language sql as 'select null::uuid'`,
  },
  "every function of public sets a statement_timeout": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace = 'public'::regnamespace
        and not exists (select from unnest(p.proconfig) as setting where setting like 'statement_timeout=%')`,
    breach: `create function public.probe() returns integer language sql set search_path = '' as 'select 1'`,
  },
  "every function has a comment": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace in ${OURS} and obj_description(p.oid, 'pg_proc') is null`,
    breach: `create function private.probe() returns integer language sql as 'select 1'`,
  },
};

const RELATIONS: Record<string, Convention> = {
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
    offenders: `select n.nspname from pg_namespace as n where n.oid in ${OURS} and obj_description(n.oid, 'pg_namespace') is null`,
    breach: `comment on schema private is null`,
  },
  "no name was cut by Postgres": {
    offenders: `
      select c.relname from pg_class as c where c.relnamespace in ${OURS} and length(c.relname) = 63 and c.relname !~ '_\\d{4}_\\d{2}_|_default_'
      union all select p.proname from pg_proc as p where p.pronamespace in ${OURS} and length(p.proname) = 63
      union all select o.conname from pg_constraint as o where o.connamespace in ${OURS} and length(o.conname) = 63`,
    breach: `create table private.a_name_that_is_so_long_that_postgres_has_to_cut_it_somewhere_before_the_end (id uuid)`,
  },
};

const KEYS: Record<string, Convention> = {
  "every foreign key has an index that begins with its columns": {
    offenders: `
      select format('%s on %s', o.conname, o.conrelid::regclass) from pg_constraint as o
      where o.connamespace in ${OURS} and o.contype = 'f'
        and not exists (
          select from pg_index as i
          where i.indrelid = o.conrelid and i.indisvalid and i.indpred is null
            and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(o.conkey)] = o.conkey
        )`,
    breach: `create table private.probe (owner uuid references public.profiles (id))`,
  },
  "no foreign key points at a partitioned table whose rows expire": {
    offenders: `
      select format('%s on %s', o.conname, o.conrelid::regclass) from pg_constraint as o
      join private.partitioned_tables as managed on o.confrelid = to_regclass(format('public.%I', managed.table_name))
      where o.contype = 'f' and managed.detach_after is not null`,
    breach: `create table private.probe (message_id uuid references public.whatsapp_messages (id))`,
  },
  "constraints are named after their table": {
    offenders: `
      select format('%s on %s', o.conname, c.oid::regclass) from pg_constraint as o
      join pg_class as c on c.oid = o.conrelid
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and o.contype in ('p', 'u', 'f', 'c', 'x')
        and o.conname !~ ('^' || c.relname || case o.contype when 'p' then '_pkey$' when 'u' then '_\\w+_key$' when 'f' then '_\\w+_fkey$' else '_\\w+$' end)`,
    breach: `create table private.probe (id uuid, constraint must_be check (id is not null))`,
  },
  "indexes are named after their table and columns": {
    offenders: `
      select i.indexrelid::regclass from pg_index as i
      join pg_class as c on c.oid = i.indrelid
      join pg_class as index on index.oid = i.indexrelid
      cross join lateral (
        select string_agg(a.attname, '_' order by key.position) as columns
        from unnest(i.indkey::int2[]) with ordinality as key (attnum, position)
        join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = key.attnum
        where key.position <= i.indnkeyatts
      ) as indexed
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        and not exists (select from pg_constraint as o where o.conindid = i.indexrelid)
        and index.relname !~ ('^' || c.relname || '_'
          -- What a predicate or an expression makes of the columns needs a word of its own.
          || case when i.indpred is null and i.indexprs is null then indexed.columns else '\\w+' end
          || case when i.indisunique then '_key$' else '_idx$' end)`,
    breach: `create index profiles_by_name on public.profiles (full_name)`,
  },
};

const COLUMNS: Record<string, Convention> = {
  "every point in time is timestamptz": {
    offenders: `
      select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ${OURS} and a.attnum > 0 and not a.attisdropped
        and a.atttypid in ('timestamp'::regtype, 'timetz'::regtype)`,
    breach: `alter table public.profiles add seen_at timestamp`,
  },
  "times end in _at (or _until, _from, _to, month), dates in _on": {
    offenders: `
      select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
        and a.attnum > 0 and not a.attisdropped
        and (a.atttypid = 'timestamptz'::regtype and a.attname !~ '(_at|_until|_from|_to)$|^month$'
          or a.atttypid = 'date'::regtype and a.attname !~ '_on$|^(day|month)$')`,
    breach: `alter table public.profiles add last_visit timestamptz`,
  },
  "no money is a float": {
    offenders: `
      select format('%s.%s', a.attrelid::regclass, a.attname) from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ${OURS} and a.attnum > 0 and not a.attisdropped
        and (a.atttypid = 'money'::regtype
          or a.attname ~ '(amount|balance|price|fare|fee|cost|charge|discount|tip)s?(_|$)'
            and (a.atttypid in ('real'::regtype, 'double precision'::regtype)
              or a.atttypid = 'numeric'::regtype and c.relkind in ('r', 'p')))`,
    breach: `alter table public.profiles add balance_due numeric`,
  },
  "no function takes or gives money as a float": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      cross join lateral unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[])) as argument (name, type)
      where p.pronamespace in ${OURS} and argument.name ~ '(amount|balance|price|fare|fee|cost|charge|discount|tip)s?(_|$)'
        and argument.type in ('real'::regtype, 'double precision'::regtype, 'money'::regtype)`,
    breach: `create function private.probe(amount real) returns void language sql as ''`,
  },
  "every amount of money stands beside its currency": {
    offenders: `
      select a.attrelid::regclass from pg_attribute as a
      join pg_class as c on c.oid = a.attrelid
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
        and a.attname = 'amount' and not a.attisdropped
        and not exists (
          select from pg_attribute as currency where currency.attrelid = c.oid and currency.attname = 'currency' and currency.atttypid = 'bpchar'::regtype
        )`,
    breach: `create table private.probe (amount bigint)`,
  },
};

const POLICIES: Record<string, Convention> = {
  "policies ask who is calling once per statement: (select auth.uid())": {
    offenders: `
      select format('%s on %s', p.polname, p.polrelid::regclass) from pg_policy as p
      where regexp_replace(
        concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)),
        '\\( SELECT (auth|private)\\.\\w+\\(\\)', '', 'g'
      ) ~ '(auth|private)\\.\\w+\\(|current_setting\\('`,
    breach: `create policy "A probe" on public.profiles for delete to authenticated using (user_id = auth.uid())`,
  },
  "policies name their role": {
    offenders: `select format('%s on %s', p.polname, p.polrelid::regclass) from pg_policy as p where p.polroles @> '{0}'`,
    breach: `create policy "A probe" on public.profiles for delete using (false)`,
  },
  "a table has one policy per role and verb": {
    offenders: `
      select format('%s: %s %s', p.polrelid::regclass, role::regrole, verb) from pg_policy as p
      cross join lateral unnest(p.polroles) as role
      cross join lateral unnest(case p.polcmd when '*' then array['r', 'a', 'w', 'd'] else array[p.polcmd::text] end) as verb
      where p.polpermissive
      group by p.polrelid, role, verb having count(*) > 1`,
    breach: `create policy "A probe" on public.profiles for select to authenticated using (false)`,
  },
  "policies are named as sentences": {
    offenders: `
      select format('%s on %s', p.polname, p.polrelid::regclass) from pg_policy as p where p.polname !~ '^[A-Z]\\S* \\S+'`,
    breach: `create policy profiles_select on public.profiles for delete to authenticated using (false)`,
  },
};

const PARTITIONS: Record<string, Convention> = {
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

const database = await createTestDatabase();
const conventions = { ...FUNCTIONS, ...RELATIONS, ...KEYS, ...COLUMNS, ...POLICIES, ...PARTITIONS };

for (const [name, { offenders, breach }] of Object.entries(conventions)) {
  Deno.test(name, rolledBack(database, async (sql) => assertEquals(await listed(sql, offenders), [])));

  Deno.test(
    `a breach is seen: ${name}`,
    rolledBack(database, async (sql) => {
      await sql.unsafe(breach).simple();

      assertNotEquals(await listed(sql, offenders), []);
    }),
  );
}

async function listed(sql: TransactionSql, offenders: string): Promise<string[]> {
  const rows = await sql.unsafe(offenders).values();
  return rows.map(([offender]) => String(offender)).sort();
}
