begin;

create function private.archive_partitions()
returns setof text
language plpgsql
security definer -- partitions belong to the owner of the tables
set search_path = ''
set timezone = 'UTC' -- a month after is a month of the calendar, which depends on the caller's zone otherwise
set lock_timeout = '2s'
as $$
declare
  v_leaf record;
begin
  for v_leaf in
    select managed.table_name, leaf.leaf::text as name
    from private.partitioned_tables as managed
    join private.partition_leaves as leaf using (table_name)
    where leaf.month + interval '1 month' < now() - managed.detach_after
    order by leaf.month
  loop
    execute format('alter table public.%I detach partition %s', v_leaf.table_name, v_leaf.name);
    execute format('alter table %s set schema archive', v_leaf.name);
    return next 'archived ' || v_leaf.name;
  end loop;

  for v_leaf in
    select leaf.oid::regclass::text as name
    from private.partitioned_tables as managed
    join pg_catalog.pg_class as leaf
      on leaf.relnamespace = 'archive'::regnamespace and leaf.relname ~ ('^' || managed.table_name || '_\d{4}_\d{2}$')
    where to_timestamp(right(leaf.relname, 7) || ' UTC', 'YYYY_MM TZ') + interval '1 month' < now() - managed.drop_after
  loop
    execute format('drop table %s', v_leaf.name);
    return next 'dropped ' || v_leaf.name;
  end loop;
end;
$$;

comment on function private.archive_partitions is 'The work of public.archive_partitions().';

create function public.archive_partitions()
returns setof text
language plpgsql
set search_path = ''
set statement_timeout = '60s'
as $$
begin
  return query select private.archive_partitions();
end;
$$;

comment on function public.archive_partitions is
  'Detaches leaves past their first retention date into the archive schema and drops those past the second; says which. '
  'Gives up, leaving everything as it was, after 2 s of waiting for a lock.';
grant execute on function public.archive_partitions, private.archive_partitions to service_role;

create function private.partition_health()
returns table (
  table_name text,
  leaf_count bigint,
  months_ahead integer,
  default_has_rows boolean,
  archived_count bigint,
  is_healthy boolean
)
language plpgsql
stable
security definer -- looks into default partitions, which no role may read
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_managed record;
begin
  for v_managed in select managed.table_name from private.partitioned_tables as managed order by 1 loop
    table_name := v_managed.table_name;
    select count(*) filter (where not leaf.is_default) into leaf_count
    from private.partition_leaves as leaf
    where leaf.table_name = v_managed.table_name;
    -- Up to the first gap; -1 when this month's is missing.
    select min(ahead) - 1 into months_ahead
    from generate_series(0, 25) as ahead
    where not exists (
      select from private.partition_leaves as leaf
      where leaf.table_name = v_managed.table_name
        and leaf.month = date_trunc('month', now()) + make_interval(months => ahead)
    );
    execute format('select exists (select from partitions.%I)', v_managed.table_name || '_default') into default_has_rows;
    select count(*) into archived_count
    from pg_catalog.pg_class as leaf
    where leaf.relnamespace = 'archive'::regnamespace and leaf.relname ~ ('^' || v_managed.table_name || '_\d{4}_\d{2}$');
    is_healthy := months_ahead >= 1 and not default_has_rows;
    return next;
  end loop;
end;
$$;

comment on function private.partition_health is 'The rows of public.partition_health.';
grant execute on function private.partition_health to service_role;

create view public.partition_health
with (security_invoker = on)
as
select * from private.partition_health();

comment on view public.partition_health is
  'One row per partitioned table: how many months are made ahead, whether the default partition caught rows, what is archived.';
grant select on public.partition_health to service_role;

commit;
