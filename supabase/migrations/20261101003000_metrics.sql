begin;

create type public.metric_type as enum ('counter', 'gauge', 'histogram');
comment on type public.metric_type is
  'What a metric''s values are. counter: how much was added since the last report; gauge: how high it stands; histogram: what was observed.';

create domain private.metric_name as text
  check (value ~ '^[a-zA-Z_:][a-zA-Z0-9_:]*$' and length(value) <= 100);
comment on domain private.metric_name is 'A metric''s name as Prometheus takes it (Data model: "Metric names and labels").';

create domain private.metric_service as text
  check (value ~ '^[a-zA-Z][a-zA-Z0-9._-]{0,62}$');
comment on domain private.metric_service is 'Whose metric it is: an edge function, or any other part of the suite.';

create domain private.metric_unit as text
  check (value ~ '^[[:graph:]]{1,32}$');
comment on domain private.metric_unit is 'What the values are counted in: seconds, bytes, RWF.';

create domain private.metric_tags as jsonb
  check (
    jsonb_typeof(value) = 'object' and length(value::text) <= 2000
    and not value @? '$.keyvalue() ? (!(@.key like_regex "^[a-zA-Z_][a-zA-Z0-9_]*$")
      || @.value.type() == "object" || @.value.type() == "array" || @.value.type() == "null")'
  );
comment on domain private.metric_tags is 'What sets a series apart: label names as Prometheus takes them, with a text, number or boolean each.';

create domain private.metric_buckets as jsonb
  check (
    jsonb_typeof(value) = 'object' and length(value::text) <= 2000
    and not value @? '$.keyvalue() ? (!(@.key like_regex "^(-?[0-9]+(\\.[0-9]+)?(e[+-]?[0-9]+)?|\\+Inf)$")
      || @.value.type() != "number" || @.value < 0 || @.value > 1000000000 || @.value != @.value.floor())'
    and value @? '$.* ? (@ > 0)'
  );
comment on domain private.metric_buckets is
  'How many observations were at most each bound, and above the bound before it. Empty buckets may be left out, but for those below a full one, which say where it begins.';

create domain private.finite_number as double precision
  check (value > '-Infinity' and value < 'Infinity');
comment on domain private.finite_number is 'No NaN, no infinity.';

create function private.observation_count(buckets jsonb)
returns bigint
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  if observation_count.buckets is null then
    return 1;
  end if;
  return (select sum(bucket.value::bigint) from jsonb_each_text(observation_count.buckets) as bucket);
end;
$$;

comment on function private.observation_count is 'How many observations a row stands for: those in its buckets, or the one that it is.';

create table public.system_metrics (
  id uuid not null default private.uuid_v7(),
  created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
  service_name private.metric_service not null,
  metric_type public.metric_type not null,
  metric_name private.metric_name not null,
  value private.finite_number not null,
  unit private.metric_unit,
  tags private.metric_tags not null default '{}',
  buckets private.metric_buckets,
  minimum private.finite_number,
  maximum private.finite_number,
  observation_count bigint not null generated always as (private.observation_count(buckets)) stored,
  constraint system_metrics_pkey primary key (id),
  constraint system_metrics_counters_do_not_fall check (metric_type <> 'counter' or value >= 0),
  constraint system_metrics_buckets_are_of_histograms check (metric_type = 'histogram' or buckets is null),
  constraint system_metrics_buckets_have_a_range check (num_nonnulls(buckets, minimum, maximum) in (0, 3))
) partition by range (id);

comment on table public.system_metrics is
  'What the parts of the suite measure. A row is one value, or a histogram''s observations of some seconds. Tags never hold personal data.';
comment on column public.system_metrics.value is
  'A counter''s increase, a gauge''s level, an observation; the sum of the observations where a histogram has buckets.';
comment on column public.system_metrics.buckets is
  'Upper bound -> how many observations lie in that bucket alone; null where value is one observation.';
comment on column public.system_metrics.minimum is 'The smallest observation in the buckets.';
comment on column public.system_metrics.maximum is 'The largest observation in the buckets.';
alter table public.system_metrics enable row level security;
grant select on public.system_metrics to service_role;
select private.manage_partitions('system_metrics', interval '3 months', interval '6 months');

commit;
