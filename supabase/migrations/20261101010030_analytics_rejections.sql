begin;

create table private.analytics_settings (
  publishable_events_per_minute integer,
  user_events_per_minute integer not null default 600,
  rejections_kept interval not null default '30 days',
  id boolean not null default true,
  constraint analytics_settings_pkey primary key (id),
  constraint analytics_settings_is_one_row check (id),
  constraint analytics_settings_rates_are_positive check (publishable_events_per_minute > 0 and user_events_per_minute > 0)
);

comment on table private.analytics_settings is 'The one row of settings. How long raw events stay is in private.partitioned_tables.';
comment on column private.analytics_settings.publishable_events_per_minute is 'All clients that use the publishable key together; null: no limit.';
comment on column private.analytics_settings.user_events_per_minute is 'Each user who calls track_event().';
alter table private.analytics_settings enable row level security;
insert into private.analytics_settings (publishable_events_per_minute) values (60000);
select private.audit_table('private.analytics_settings');

create table public.analytics_rejections (
  id uuid not null default private.uuid_v7(),
  message_id text,
  reason text not null,
  item jsonb,
  source text,
  write_key_id uuid,
  user_actor_id uuid,
  anonymous_actor_id uuid,
  correlation_id text default private.correlation_id(),
  created_at timestamptz not null default now(),
  constraint analytics_rejections_pkey primary key (id),
  constraint analytics_rejections_reason_is_short check (length(reason) between 1 and 100)
);

comment on table public.analytics_rejections is
  'Items of batches that could not be taken, with why, so that nothing is dropped silently. Kept as long as analytics_settings says.';
comment on column public.analytics_rejections.item is 'As it was sent; null where it is too long to keep.';
comment on column public.analytics_rejections.user_actor_id is 'Whom the item is about, so that erasing that person finds it.';
create index analytics_rejections_created_at_idx on public.analytics_rejections (created_at);
create index analytics_rejections_user_actor_id_idx on public.analytics_rejections (user_actor_id);
create index analytics_rejections_anonymous_actor_id_idx on public.analytics_rejections (anonymous_actor_id);
alter table public.analytics_rejections enable row level security;
grant select on public.analytics_rejections to service_role;

create function private.purge_analytics_rejections()
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  delete from public.analytics_rejections as rejection
  where rejection.created_at < now() - (select settings.rejections_kept from private.analytics_settings as settings);
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.purge_analytics_rejections is 'Forgets rejected items past their retention; says how many. Run by the schedule.';

commit;
