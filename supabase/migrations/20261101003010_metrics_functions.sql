begin;

create function private.metric_fault(metric jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_fault text;
  v_aggregates integer;
begin
  if jsonb_typeof(metric_fault.metric) <> 'object' then
    return 'metric';
  end if;
  -- The types hold the rules; an argument that has none here is unknown.
  select coalesce(rule.argument, given.argument) into v_fault
  from (
    values
      ('service_name', 'private.metric_service', true),
      ('metric_type', 'public.metric_type', true),
      ('metric_name', 'private.metric_name', true),
      ('value', 'private.finite_number', true),
      ('unit', 'private.metric_unit', false),
      ('tags', 'private.metric_tags', false),
      ('buckets', 'private.metric_buckets', false),
      ('minimum', 'private.finite_number', false),
      ('maximum', 'private.finite_number', false)
  ) as rule (argument, type, is_required)
  full join jsonb_each_text(metric_fault.metric) as given (argument, value) on given.argument = rule.argument
  where rule.argument is null or not coalesce(pg_input_is_valid(given.value, rule.type), not rule.is_required)
  limit 1;
  if found then
    return v_fault;
  end if;

  v_aggregates := num_nonnulls(
    metric_fault.metric ->> 'buckets', metric_fault.metric ->> 'minimum', metric_fault.metric ->> 'maximum'
  );
  return case
    when metric_fault.metric ->> 'metric_type' = 'counter' and (metric_fault.metric ->> 'value')::double precision < 0 then 'value'
    when v_aggregates not in (0, 3) or (v_aggregates = 3 and metric_fault.metric ->> 'metric_type' <> 'histogram') then 'buckets'
  end;
end;
$$;

comment on function private.metric_fault is 'Which argument of a metric is missing, wrong or unknown; null if none is.';

create function private.record_metrics(batch jsonb)
returns integer
language plpgsql
security definer -- the only writer of metrics
set search_path = ''
as $$
declare
  v_refused record;
  v_count integer;
begin
  select given.position - 1 as index, fault into v_refused
  from jsonb_array_elements(record_metrics.batch) with ordinality as given (metric, position)
  cross join lateral private.metric_fault(given.metric) as fault
  where fault is not null
  order by given.position
  limit 1;
  if found then
    perform private.refuse('invalid_argument', jsonb_build_object('index', v_refused.index, 'argument', v_refused.fault));
  end if;

  insert into public.system_metrics (service_name, metric_type, metric_name, value, unit, tags, buckets, minimum, maximum)
  select
    metric ->> 'service_name',
    (metric ->> 'metric_type')::public.metric_type,
    metric ->> 'metric_name',
    (metric ->> 'value')::double precision,
    metric ->> 'unit',
    coalesce((metric ->> 'tags')::jsonb, '{}'),
    (metric ->> 'buckets')::jsonb,
    (metric ->> 'minimum')::double precision,
    (metric ->> 'maximum')::double precision
  from jsonb_array_elements(record_metrics.batch) as metric;
  get diagnostics v_count = row_count;
  perform private.add_to_metric_totals(record_metrics.batch);
  return v_count;
end;
$$;

comment on function private.record_metrics is 'The work of public.record_metrics().';

create function public.record_metrics(batch jsonb)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if jsonb_typeof(record_metrics.batch) is distinct from 'array' or jsonb_array_length(record_metrics.batch) > 1000 then
    perform private.refuse('invalid_argument', '{"argument": "batch", "range": "an array of at most 1000 metrics"}');
  end if;
  return private.record_metrics(record_metrics.batch);
end;
$$;

comment on function public.record_metrics is
  'Stores metrics, all or none; says how many. Each is an object with the arguments of record_metric(), unit and tags being optional. '
  'A histogram''s may stand for many observations: buckets (upper bound -> count), value (their sum), minimum and maximum. '
  'A batch sent twice counts twice. Refuses: invalid_argument, with the index of the first bad element and what is wrong with it.';
grant execute on function public.record_metrics, private.record_metrics to service_role;

create function public.record_metric(
  service_name text,
  metric_type public.metric_type,
  metric_name text,
  value double precision,
  unit text default null,
  tags jsonb default '{}'
)
returns void
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  perform private.record_metrics(jsonb_build_array(jsonb_build_object(
    'service_name', record_metric.service_name,
    'metric_type', record_metric.metric_type,
    'metric_name', record_metric.metric_name,
    'value', record_metric.value,
    'unit', record_metric.unit,
    'tags', record_metric.tags
  )));
end;
$$;

comment on function public.record_metric is
  'Stores one value: what was added to a counter (not below 0), the level of a gauge, or one observation for a histogram. '
  'The name is one that Prometheus takes; tags are an object of texts, numbers and booleans without personal data. '
  'Called twice, it counts twice. Refuses: invalid_argument.';
grant execute on function public.record_metric to service_role;

commit;
