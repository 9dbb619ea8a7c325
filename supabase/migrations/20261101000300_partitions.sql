begin;

create table private.partitioned_tables (
  table_name text not null,
  detach_after interval,
  drop_after interval,
  constraint partitioned_tables_pkey primary key (table_name),
  constraint partitioned_tables_drop_follows_detach check (drop_after is null or (drop_after > detach_after) is true)
);

comment on table private.partitioned_tables is
  'Tables of public that are partitioned by month, and for how long their leaves stay. Without dates they stay for good.';
comment on column private.partitioned_tables.detach_after is 'How old a leaf''s last row may be before it moves to the archive schema.';
comment on column private.partitioned_tables.drop_after is 'How old it may be before it is dropped from there.';
alter table private.partitioned_tables enable row level security;

create function private.refuse_truncate()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '% cannot be truncated', tg_table_name using errcode = 'insufficient_privilege';
end;
$$;

comment on function private.refuse_truncate is 'Keeps a table from being emptied past its row triggers and policies.';

create function private.refuse_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end;
$$;

comment on function private.refuse_change is 'Keeps the rows of an append-only table, and of its leaves, as they were written.';

create function private.protect_partition(leaf regclass)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('alter table %s enable row level security', protect_partition.leaf);
  execute format(
    'create trigger refuse_truncate before truncate on %s execute function private.refuse_truncate()',
    protect_partition.leaf
  );
end;
$$;

comment on function private.protect_partition is
  'Puts on one table what partitions do not take from their parent: row level security and the refusal to truncate.';

create view private.partition_leaves
with (security_invoker = on)
as
select
  parent.relname::text as table_name,
  leaf.oid::regclass as leaf,
  pg_get_expr(leaf.relpartbound, leaf.oid) = 'DEFAULT' as is_default,
  to_timestamp(substring(leaf.relname from '_(\d{4}_\d{2})$') || ' UTC', 'YYYY_MM TZ') as month
from pg_catalog.pg_inherits as inheritance
join pg_catalog.pg_class as parent on parent.oid = inheritance.inhparent
join pg_catalog.pg_class as leaf on leaf.oid = inheritance.inhrelid
where parent.relnamespace = 'public'::regnamespace and leaf.relkind = 'r';

comment on view private.partition_leaves is 'Every attached leaf with the month it holds.';

create function private.partition_bound(table_name text, at timestamptz)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_key_type regtype;
begin
  select attribute.atttypid into strict v_key_type
  from pg_catalog.pg_partitioned_table as partitioned
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = partitioned.partrelid and attribute.attnum = partitioned.partattrs[0]
  where partitioned.partrelid = format('public.%I', partition_bound.table_name)::regclass;

  if v_key_type = 'uuid'::regtype then
    return private.uuid_v7_floor(partition_bound.at)::text;
  end if;
  return (partition_bound.at at time zone 'UTC')::date::text;
end;
$$;

comment on function private.partition_bound is 'Where a month begins in a table''s partition key: a UUIDv7 floor, or the day itself.';

create function private.create_partition(table_name text, month timestamptz)
returns void
language plpgsql
set search_path = ''
set timezone = 'UTC' -- a month after is a month of the calendar, which depends on the caller's zone otherwise
set lock_timeout = '2s'
as $$
declare
  v_leaf text := format('partitions.%I', create_partition.table_name || to_char(create_partition.month, '_YYYY_MM'));
  v_default text := format('partitions.%I', create_partition.table_name || '_default');
  v_from text := private.partition_bound(create_partition.table_name, create_partition.month);
  v_to text := private.partition_bound(create_partition.table_name, create_partition.month + interval '1 month');
  v_key text;
  v_columns text;
begin
  select
    string_agg(quote_ident(attribute.attname), ', ') filter (where attribute.attgenerated = ''),
    max(quote_ident(attribute.attname)) filter (where attribute.attnum = partitioned.partattrs[0])
  into v_columns, v_key
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_partitioned_table as partitioned on partitioned.partrelid = attribute.attrelid
  where attribute.attrelid = format('public.%I', create_partition.table_name)::regclass
    and attribute.attnum > 0 and not attribute.attisdropped;

  -- Made apart and attached: "create ... partition of" would hold off writers behind any open reader.
  execute format('create table %s (like public.%I including all excluding identity)', v_leaf, create_partition.table_name);
  perform private.protect_partition(v_leaf::regclass);
  -- Locked at once as attaching will: no row comes in between, and no lock grows stronger, which could deadlock.
  execute format('lock table %s in access exclusive mode', v_default);
  -- Moving is no change that a trigger of the table should see, or refuse.
  execute format('alter table %s disable trigger user', v_default);
  execute format(
    'with moved as (delete from %1$s where %2$s >= %3$L and %2$s < %4$L returning %5$s) insert into %6$s (%5$s) select %5$s from moved',
    v_default, v_key, v_from, v_to, v_columns, v_leaf
  );
  execute format('alter table %s enable trigger user', v_default);
  execute format(
    'alter table public.%I attach partition %s for values from (%L) to (%L)',
    create_partition.table_name, v_leaf, v_from, v_to
  );
end;
$$;

comment on function private.create_partition is
  'Makes and attaches the leaf of one month, taking over what the default partition holds of it. Gives up after 2 s of waiting for a lock.';

create function private.ensure_partitions(months_ahead integer)
returns integer
language plpgsql
security definer -- partitions belong to the owner of the tables
set search_path = ''
set timezone = 'UTC'
set lock_timeout = '2s'
as $$
declare
  v_missing record;
  v_created integer := 0;
begin
  -- One caller at a time: the next finds nothing missing.
  perform pg_advisory_xact_lock(hashtextextended('ensure_partitions', 0));
  for v_missing in
    select managed.table_name, month
    from private.partitioned_tables as managed
    -- From the oldest leaf on, so that months missed while nobody called are made up for.
    cross join generate_series(
      least(
        date_trunc('month', now()),
        (select min(leaf.month) from private.partition_leaves as leaf where leaf.table_name = managed.table_name)
      ),
      date_trunc('month', now()) + make_interval(months => ensure_partitions.months_ahead),
      interval '1 month'
    ) as month
    where to_regclass(format('partitions.%I', managed.table_name || to_char(month, '_YYYY_MM'))) is null
    order by managed.table_name, month
  loop
    perform private.create_partition(v_missing.table_name, v_missing.month);
    v_created := v_created + 1;
  end loop;
  return v_created;
end;
$$;

comment on function private.ensure_partitions is 'The work of public.ensure_partitions().';

create function public.ensure_partitions(months_ahead integer default 3)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  if (ensure_partitions.months_ahead between 0 and 24) is not true then
    perform private.refuse('invalid_argument', jsonb_build_object('argument', 'months_ahead', 'range', '0..24'));
  end if;
  return private.ensure_partitions(ensure_partitions.months_ahead);
end;
$$;

comment on function public.ensure_partitions is
  'Makes the missing monthly partitions up to that many months ahead; says how many. Repeating it changes nothing. '
  'Gives up, leaving everything as it was, after 2 s of waiting for a lock. Refuses: invalid_argument.';
grant execute on function public.ensure_partitions, private.ensure_partitions to service_role;

create function private.manage_partitions(table_name text, detach_after interval default null, drop_after interval default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('create table partitions.%I partition of public.%I default', manage_partitions.table_name || '_default', manage_partitions.table_name);
  perform private.protect_partition(format('partitions.%I', manage_partitions.table_name || '_default')::regclass);
  perform private.protect_partition(format('public.%I', manage_partitions.table_name)::regclass);
  insert into private.partitioned_tables (table_name, detach_after, drop_after)
  values (manage_partitions.table_name, manage_partitions.detach_after, manage_partitions.drop_after);
  perform private.ensure_partitions(3);
end;
$$;

comment on function private.manage_partitions is
  'Called by the migration that makes a partitioned table: gives it a default partition, the coming months and its retention.';

commit;
