begin;

create table public.feature_flag_evaluations (
  environment text not null,
  flag_key text not null,
  counted_at timestamptz not null,
  reason text not null,
  variant text not null default '',
  evaluation_count bigint not null,
  constraint feature_flag_evaluations_pkey primary key (environment, flag_key, counted_at, reason, variant),
  constraint feature_flag_evaluations_flag_key_environment_fkey foreign key (flag_key, environment)
    references public.feature_flag_states (flag_key, environment),
  constraint feature_flag_evaluations_are_of_whole_hours check (counted_at = date_trunc('hour', counted_at, 'UTC')),
  constraint feature_flag_evaluations_count_is_positive check (evaluation_count > 0)
);

comment on table public.feature_flag_evaluations is
  'How often evaluators served what, by hour: kept 100 days. Evaluations by SQL''s own functions are not among them.';
comment on column public.feature_flag_evaluations.counted_at is 'The beginning of the hour.';
comment on column public.feature_flag_evaluations.reason is 'Why, in OpenFeature''s words, or ERROR.';
comment on column public.feature_flag_evaluations.variant is 'Empty where none was served.';
create index feature_flag_evaluations_flag_key_environment_idx on public.feature_flag_evaluations (flag_key, environment);
create index feature_flag_evaluations_counted_at_idx on public.feature_flag_evaluations (counted_at);
alter table public.feature_flag_evaluations enable row level security;
grant select on public.feature_flag_evaluations to service_role;

create function private.flag_counts_problem(counts jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if jsonb_typeof(flag_counts_problem.counts) is distinct from 'array' or jsonb_array_length(flag_counts_problem.counts) > 10000 then
    return 'a list of up to 10000';
  end if;
  return (
    select 'flag_key, reason, variant, count above zero, hour (a time in ISO 8601 of the last week)'
    from jsonb_array_elements(flag_counts_problem.counts) as counted
    where (
      jsonb_typeof(counted -> 'flag_key') = 'string'
      and counted ->> 'reason' ~ '^(STATIC|TARGETING_MATCH|SPLIT|DEFAULT|DISABLED|ERROR)$'
      and length(coalesce(counted ->> 'variant', '')) <= 100
      and private.is_whole_number(counted -> 'count', 1, 1000000000)
      and to_timestamp(private.flag_instant(counted ->> 'hour') / 1000.0) between now() - interval '7 days' and now() + interval '5 minutes'
    ) is not true
    limit 1
  );
end;
$$;

comment on function private.flag_counts_problem is 'What is wrong with counts of evaluations; null if nothing is.';

create function private.record_flag_evaluations(environment text, counts jsonb)
returns integer
language plpgsql
security definer -- adds to counts that no role may write
set search_path = ''
as $$
declare
  v_count integer;
begin
  perform private.refuse_flag('counts', private.flag_counts_problem(record_flag_evaluations.counts));
  -- In the order of the key, so that two batches cannot deadlock; what is not known (any more) is left out.
  insert into public.feature_flag_evaluations as kept (environment, flag_key, counted_at, reason, variant, evaluation_count)
  select
    record_flag_evaluations.environment, counted ->> 'flag_key',
    date_trunc('hour', to_timestamp(private.flag_instant(counted ->> 'hour') / 1000.0), 'UTC') as counted_at,
    counted ->> 'reason' as reason, coalesce(counted ->> 'variant', '') as variant, sum((counted -> 'count')::bigint)
  from jsonb_array_elements(record_flag_evaluations.counts) as counted
  join public.feature_flag_states as state
    on state.flag_key = counted ->> 'flag_key' and state.environment = record_flag_evaluations.environment
  group by 2, 3, 4, 5
  order by 2, 3, 4, 5
  on conflict on constraint feature_flag_evaluations_pkey do update set evaluation_count = kept.evaluation_count + excluded.evaluation_count;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.record_flag_evaluations is 'The work of public.record_flag_evaluations().';

create function public.record_flag_evaluations(environment text, counts jsonb)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  return private.record_flag_evaluations(record_flag_evaluations.environment, record_flag_evaluations.counts);
end;
$$;

comment on function public.record_flag_evaluations is
  'Adds what an evaluator has counted since it last told: [{flag_key, reason, variant, count, hour}]; says how many rows that touched. The same batch twice counts twice: '
  'an evaluator that does not know whether a batch arrived drops it. Flags that are not known are left out. Refuses: invalid_argument.';
grant execute on function public.record_flag_evaluations, private.record_flag_evaluations to service_role;

create function private.purge_flag_evaluations()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from public.feature_flag_evaluations as kept where kept.counted_at < now() - interval '100 days';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_flag_evaluations is 'Deletes counts of evaluations that are older than 100 days; says how many.';

insert into private.schedule (name, cron, command) values
  ('purge-flag-evaluations', '25 2 * * *', 'select private.purge_flag_evaluations()');

commit;
