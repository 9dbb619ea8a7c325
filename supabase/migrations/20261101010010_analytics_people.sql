begin;

create function private.analytics_actor_id(user_id text, anonymous_id text)
returns uuid
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return case
    when analytics_actor_id.user_id is null then md5('anonymous:' || analytics_actor_id.anonymous_id)::uuid
    when length(analytics_actor_id.user_id) = 36 and pg_input_is_valid(analytics_actor_id.user_id, 'uuid') then analytics_actor_id.user_id::uuid
    else md5('user:' || analytics_actor_id.user_id)::uuid
  end;
end;
$$;

comment on function private.analytics_actor_id is
  'Who a user id, or else an anonymous id, is to analytics: a UUID stays itself, other text is hashed by its kind.';

create table public.analytics_identities (
  alias_id uuid not null,
  actor_id uuid not null,
  linked_at timestamptz not null default now(),
  settled_by xid8,
  merged_at timestamptz,
  constraint analytics_identities_pkey primary key (alias_id),
  constraint analytics_identities_are_not_their_own check (alias_id <> actor_id)
);

comment on table public.analytics_identities is
  'Which actors turned out to be others: an anonymous id that was identified, a user who was aliased. A link ends at a person: nobody whom others were identified as becomes an alias.';
comment on column public.analytics_identities.alias_id is 'The actor that is another; said once and for all.';
comment on column public.analytics_identities.settled_by is 'A transaction id later than those of all writers who could not see the link yet.';
comment on column public.analytics_identities.merged_at is 'When the alias''s events and facts became the actor''s.';
create index analytics_identities_actor_id_idx on public.analytics_identities (actor_id);
create index analytics_identities_not_merged_idx on public.analytics_identities (linked_at) where merged_at is null;
alter table public.analytics_identities enable row level security;
grant select on public.analytics_identities to service_role;

create table private.analytics_identity_claims (
  id bigint generated always as identity,
  alias_id uuid not null,
  actor_id uuid not null,
  constraint analytics_identity_claims_pkey primary key (id)
);

comment on table private.analytics_identity_claims is
  'What clients said of who is who, in order, until private.merge_analytics_actors() has judged it. Writers only append here: they neither wait nor make circles.';
create index analytics_identity_claims_actor_id_idx on private.analytics_identity_claims (actor_id);
create index analytics_identity_claims_alias_id_idx on private.analytics_identity_claims (alias_id);
alter table private.analytics_identity_claims enable row level security;

create table public.analytics_suppressions (
  actor_id uuid not null,
  reason text not null,
  suppressed_at timestamptz not null default now(),
  constraint analytics_suppressions_pkey primary key (actor_id),
  constraint analytics_suppressions_reason_is_short check (length(reason) between 1 and 200)
);

comment on table public.analytics_suppressions is 'People of whom nothing is kept, under each of their actors: what is sent of them is counted as suppressed and forgotten.';
alter table public.analytics_suppressions enable row level security;
grant select on public.analytics_suppressions to service_role;

create function private.analytics_person(actor_id uuid)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce(
    (select link.actor_id from public.analytics_identities as link where link.alias_id = analytics_person.actor_id),
    analytics_person.actor_id
  );
end;
$$;

comment on function private.analytics_person is 'The person that an actor is: another, if it is linked, else itself.';

create view private.analytics_suppressed_links
with (security_invoker = on)
as
select link.alias_id, suppression.reason
from public.analytics_identities as link
join public.analytics_suppressions as suppression on suppression.actor_id = link.actor_id
where link.merged_at is null
  and not exists (select from public.analytics_suppressions as own where own.actor_id = link.alias_id);

comment on view private.analytics_suppressed_links is 'Actors that turned out to be suppressed people, and of whom something is kept.';

commit;
