begin;

create table private.metric_totals (
  service_name private.metric_service not null,
  metric_name private.metric_name not null,
  tags private.metric_tags not null,
  metric_type public.metric_type not null,
  value double precision not null,
  buckets jsonb,
  reported_at timestamptz not null default now(),
  constraint metric_totals_pkey primary key (service_name, metric_name, tags)
)
with (fillfactor = 50);

comment on table private.metric_totals is
  'Each series since it was first seen, as a scraper wants it: what counters and histograms have come to, and where gauges stand. '
  'Kept by private.add_to_metric_totals(), so that nobody has to add up what was recorded; a series that nobody reports for a week is forgotten.';
comment on column private.metric_totals.buckets is 'Of a histogram: upper bound -> how many observations lie in that bucket alone.';
alter table private.metric_totals enable row level security;

create function private.sum_of_buckets(one jsonb, other jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (
    select jsonb_object_agg(bucket.bound, bucket.count)
    from (
      select given.key as bound, sum(given.value::bigint) as count
      from (select * from jsonb_each_text(sum_of_buckets.one) union all select * from jsonb_each_text(sum_of_buckets.other)) as given
      group by given.key
    ) as bucket
  );
end;
$$;

comment on function private.sum_of_buckets is 'Two histograms taken together; null where neither is one.';

create function private.add_to_metric_totals(batch jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_metric record;
begin
  -- In one order, so that two reports never wait for each other. A series may come more than once.
  for v_metric in
    select
      metric ->> 'service_name' as service_name,
      metric ->> 'metric_name' as metric_name,
      coalesce((metric ->> 'tags')::jsonb, '{}') as tags,
      (metric ->> 'metric_type')::public.metric_type as metric_type,
      (metric ->> 'value')::double precision as value,
      case metric ->> 'metric_type' when 'histogram' then coalesce((metric ->> 'buckets')::jsonb, '{"+Inf": 1}') end as buckets
    from jsonb_array_elements(add_to_metric_totals.batch) as metric
    order by 1, 2, 3
  loop
    insert into private.metric_totals as total (service_name, metric_name, tags, metric_type, value, buckets)
    values (v_metric.service_name, v_metric.metric_name, v_metric.tags, v_metric.metric_type, v_metric.value, v_metric.buckets)
    on conflict on constraint metric_totals_pkey do update set
      metric_type = excluded.metric_type,
      value = excluded.value + case when excluded.metric_type = 'gauge' then 0 else total.value end,
      buckets = private.sum_of_buckets(total.buckets, excluded.buckets),
      reported_at = excluded.reported_at;
  end loop;
end;
$$;

comment on function private.add_to_metric_totals is 'Adds what is recorded to the totals. Its arguments are those of public.record_metrics(), checked.';

create function private.purge_metric_totals()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  delete from private.metric_totals as total where total.reported_at < now() - interval '7 days';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_metric_totals is 'Forgets series that nobody reports any more; says how many. Run by the schedule.';
insert into private.schedule (name, cron, command) values
  ('purge-metric-totals', '41 2 * * *', 'select private.purge_metric_totals()');

commit;
