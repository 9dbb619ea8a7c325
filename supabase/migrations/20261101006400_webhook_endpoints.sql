begin;

create type public.webhook_endpoint_status as enum ('enabled', 'disabled');
create type public.webhook_disabled_reason as enum ('operator', 'gone', 'failing');

comment on type public.webhook_endpoint_status is 'Whether events are sent to a webhook endpoint.';
comment on type public.webhook_disabled_reason is
  'Why nothing is sent. operator: somebody said so; gone: it answered 410; failing: for five days nothing got through.';

create function private.is_webhook_url(url text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_host constant text := substring(lower(is_webhook_url.url) from '^https?://([^:/?]+)');
begin
  return length(is_webhook_url.url) <= 2048 and is_webhook_url.url !~ '#' and case
    when v_host in ('127.0.0.1', 'localhost') then is_webhook_url.url ~ '^https?://[^/?]+:\d{1,5}([/?][!-~]*)?$'
    -- The last label begins with a letter: no spelling of an IP address is one.
    else is_webhook_url.url ~* '^https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9](:\d{1,5})?([/?][!-~]*)?$'
      and v_host !~ '\.(localhost|local|internal|intranet|lan|home\.arpa)$'
  end;
end;
$$;

comment on function private.is_webhook_url is
  'Whether an address may be registered: https, a public name and no IP address, no credentials, no fragment. This machine is for development: '
  'whether a host is called at all, OUTBOUND_ALLOWED_HOSTS decides at each call.';

create function private.are_webhook_event_types(event_types text[])
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return cardinality(are_webhook_event_types.event_types) between 1 and 50 and (
    select bool_and(coalesce(wanted ~ '^(\*|(payment|top_up|payout|refund)\.(\*|[a-z_]{1,50}))$', false))
    from unnest(are_webhook_event_types.event_types) as wanted
  );
end;
$$;

comment on function private.are_webhook_event_types is 'Whether these are filters of events: payment.succeeded, refund.*, or * for all.';

create table public.webhook_endpoints (
  id uuid not null default private.uuid_v7(),
  profile_id uuid,
  url text not null,
  event_types text[] not null default '{*}',
  description text,
  status public.webhook_endpoint_status not null default 'enabled',
  disabled_reason public.webhook_disabled_reason,
  disabled_at timestamptz,
  failing_from timestamptz,
  failure_told_at timestamptz,
  paused_until timestamptz not null default '-infinity',
  concurrency smallint not null default 4,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint webhook_endpoints_pkey primary key (id),
  constraint webhook_endpoints_profile_id_url_key unique nulls not distinct (profile_id, url),
  constraint webhook_endpoints_profile_id_fkey foreign key (profile_id) references public.profiles (id),
  constraint webhook_endpoints_url_may_be_called check (private.is_webhook_url(url)),
  constraint webhook_endpoints_event_types_are_filters check (private.are_webhook_event_types(event_types)),
  constraint webhook_endpoints_description_is_short check (length(description) <= 500),
  constraint webhook_endpoints_disabled_ones_say_why check (
    (status = 'disabled') = (disabled_reason is not null) and (disabled_reason is null) = (disabled_at is null)
  ),
  constraint webhook_endpoints_concurrency_is_small check (concurrency between 1 and 8)
) with (fillfactor = 70);

comment on table public.webhook_endpoints is
  'Where events of payments are posted to, signed as Standard Webhooks asks. Each is owned by a profile, whose payments it hears of, or by the platform, which hears of all.';
comment on column public.webhook_endpoints.profile_id is 'Whose it is; null: the platform''s.';
comment on column public.webhook_endpoints.event_types is 'What it is sent: payment.succeeded, payment.*, or * for all.';
comment on column public.webhook_endpoints.failing_from is 'The first failed attempt since the last that got through.';
comment on column public.webhook_endpoints.failure_told_at is 'When webhook_endpoint.failing was last told of it.';
comment on column public.webhook_endpoints.paused_until is 'It asked us to wait until then (429 or 503 with Retry-After).';
comment on column public.webhook_endpoints.concurrency is
  'How many deliveries may be on their way to it at once: one more after each that gets through, one alone after a failure or a slow answer, so that it keeps no other waiting.';
alter table public.webhook_endpoints enable row level security;
grant select on public.webhook_endpoints to service_role;

create trigger touch_updated_at
before update of url, event_types, description, status on public.webhook_endpoints
for each row execute function private.touch_updated_at();

create table private.webhook_secrets (
  id uuid not null,
  endpoint_id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  constraint webhook_secrets_pkey primary key (id),
  constraint webhook_secrets_endpoint_id_fkey foreign key (endpoint_id) references public.webhook_endpoints (id)
);

comment on table private.webhook_secrets is
  'Which secrets sign what is sent to an endpoint. The secrets themselves are in the Vault: a copy of our tables does not hold them.';
comment on column private.webhook_secrets.id is 'The secret''s id in the Vault.';
comment on column private.webhook_secrets.expires_at is 'Null: the newest. Set by a rotation: until then it signs beside the new one.';
create unique index webhook_secrets_newest_key on private.webhook_secrets (endpoint_id) where expires_at is null;
create index webhook_secrets_endpoint_id_idx on private.webhook_secrets (endpoint_id);
create index webhook_secrets_expires_at_idx on private.webhook_secrets (expires_at);
alter table private.webhook_secrets enable row level security;

commit;
