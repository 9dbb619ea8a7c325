begin;

create function private.bucket_quantiles(
  buckets jsonb[],
  minimum double precision,
  maximum double precision,
  quantiles double precision[]
)
returns double precision[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  v_bucket record;
  v_quantiles double precision[];
  v_next integer := 1;
  v_lower double precision := bucket_quantiles.minimum;
  v_below double precision := 0;
begin
  for v_bucket in
    select
      bucket.key::double precision as bound,
      sum(bucket.value::bigint)::double precision as count,
      sum(sum(bucket.value::bigint)) over () as total
    from unnest(bucket_quantiles.buckets) as histogram
    cross join lateral jsonb_each_text(histogram) as bucket
    group by 1
    order by 1
  loop
    while v_bucket.count > 0 and v_next <= cardinality(bucket_quantiles.quantiles)
      and bucket_quantiles.quantiles[v_next] * v_bucket.total <= v_below + v_bucket.count
    loop
      v_quantiles[v_next] := v_lower + (least(v_bucket.bound, bucket_quantiles.maximum) - v_lower)
        * (bucket_quantiles.quantiles[v_next] * v_bucket.total - v_below) / v_bucket.count;
      v_next := v_next + 1;
    end loop;
    v_below := v_below + v_bucket.count;
    v_lower := greatest(v_bucket.bound, bucket_quantiles.minimum);
  end loop;
  return v_quantiles;
end;
$$;

comment on function private.bucket_quantiles is
  'Estimates quantiles (ascending) of histograms taken together as Prometheus'' histogram_quantile() does: evenly within the bucket that each falls into; '
  'but never outside of what was observed.';
grant execute on function private.bucket_quantiles to service_role;

create view public.recent_metrics_by_service
with (security_invoker = on)
as
select
  series.service_name,
  series.metric_name,
  series.metric_type,
  series.unit,
  series.observation_count,
  case when series.metric_type <> 'gauge' then series.total end as total,
  series.minimum,
  series.maximum,
  series.total / series.observation_count as average,
  (private.bucket_quantiles(series.buckets, series.minimum, series.maximum, '{0.95}'))[1] as p95,
  series.last_value,
  series.last_recorded_at
from (
  select
    metric.service_name,
    metric.metric_name,
    metric.metric_type,
    metric.unit,
    sum(metric.observation_count)::bigint as observation_count,
    sum(metric.value) as total,
    min(coalesce(metric.minimum, metric.value)) as minimum,
    max(coalesce(metric.maximum, metric.value)) as maximum,
    -- A single value is a bucket of its own.
    array_agg(coalesce(metric.buckets, jsonb_build_object(metric.value, 1))) filter (where metric.metric_type <> 'counter') as buckets,
    -- Arrays compare by their first elements: the latest wins.
    (max(array[extract(epoch from metric.created_at), metric.value / metric.observation_count]))[2] as last_value,
    max(metric.created_at) as last_recorded_at
  from public.system_metrics as metric
  -- In a subquery it is computed once, where a scan of a whole leaf would compute it for every row.
  where metric.id >= (select private.uuid_v7_floor(now() - interval '24 hours'))
  group by metric.service_name, metric.metric_name, metric.metric_type, metric.unit
) as series;

comment on view public.recent_metrics_by_service is
  'Each metric of the last 24 hours, by service, name and unit: how often, between which values, and the last. '
  'total is what a counter grew by, or the sum of a histogram''s observations; p95 is estimated, and counters have none.';
grant select on public.recent_metrics_by_service to service_role;

create view public.request_metrics
with (security_invoker = on)
as
select
  request.period,
  request.service_name,
  request.method,
  request.route,
  request.request_count,
  request.failed_count,
  request.failed_count::double precision / request.request_count as failed_share,
  quantiles[1] as p50_seconds,
  quantiles[2] as p95_seconds,
  quantiles[3] as p99_seconds,
  request.slowest_seconds
from (
  select
    period.name as period,
    metric.service_name,
    metric.tags ->> 'method' as method,
    metric.tags ->> 'route' as route,
    sum(metric.observation_count)::bigint as request_count,
    coalesce(sum(metric.observation_count) filter (where metric.tags ->> 'status_class' = '5xx'), 0)::bigint as failed_count,
    min(metric.minimum) as fastest_seconds,
    max(metric.maximum) as slowest_seconds,
    array_agg(metric.buckets::jsonb) as buckets
  from (values ('hour', interval '1 hour'), ('day', interval '24 hours')) as period (name, length)
  join public.system_metrics as metric on metric.created_at >= now() - period.length
  where metric.id >= (select private.uuid_v7_floor(now() - interval '24 hours'))
    and metric.metric_name = 'http_request_duration_seconds'
  group by 1, 2, 3, 4
) as request
cross join lateral private.bucket_quantiles(
  request.buckets, request.fastest_seconds, request.slowest_seconds, '{0.5, 0.95, 0.99}'
) as quantiles;

comment on view public.request_metrics is
  'How each route of each edge function did in the last hour and the last day: ask with `period = ''hour''` or `''day''`. '
  'failed_count: answers of 500 and above. Quantiles are estimated from buckets. A route is its pattern; `unmatched` is what no route serves.';
grant select on public.request_metrics to service_role;

create view public.request_problems
with (security_invoker = on)
as
select
  metric.service_name,
  metric.tags ->> 'method' as method,
  metric.tags ->> 'route' as route,
  metric.tags ->> 'code' as code,
  coalesce(sum(metric.value) filter (where metric.created_at >= now() - interval '1 hour'), 0)::bigint as last_hour_count,
  sum(metric.value)::bigint as last_day_count,
  max(metric.created_at) as last_reported_at
from public.system_metrics as metric
where metric.id >= (select private.uuid_v7_floor(now() - interval '24 hours'))
  and metric.metric_name = 'http_request_problems_total'
group by 1, 2, 3, 4;

comment on view public.request_problems is
  'Which problems each route of each edge function answered in the last 24 hours, by code; refusals (4xx) and failures (5xx).';
grant select on public.request_problems to service_role;

commit;
