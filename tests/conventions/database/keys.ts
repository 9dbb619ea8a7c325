import { type Convention, OURS } from "./convention.ts";

/** Constraints, indexes and what they are called. */
export const KEYS: Record<string, Convention> = {
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
