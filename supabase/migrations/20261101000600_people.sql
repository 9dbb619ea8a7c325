begin;

create table public.profiles (
  id uuid not null default private.uuid_v7(),
  user_id uuid,
  phone text,
  full_name text,
  locale text not null default 'rw',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_pkey primary key (id),
  constraint profiles_user_id_key unique (user_id),
  constraint profiles_phone_key unique (phone),
  constraint profiles_user_id_fkey foreign key (user_id) references auth.users (id) on delete set null,
  constraint profiles_phone_is_e164 check (phone ~ '^\+[1-9]\d{6,14}$'),
  constraint profiles_locale_is_served check (locale in ('en', 'fr', 'rw', 'sw')),
  constraint profiles_full_name_is_short check (length(full_name) <= 200)
);

comment on table public.profiles is
  'People. A profile may exist before its person signs in (user_id null), because WhatsApp contacts come first.';
comment on column public.profiles.phone is
  'E.164. Set only by a confirmed OTP or a code answered on WhatsApp, never by a client.';
comment on column public.profiles.locale is 'The language to speak to this person: en, fr, rw or sw.';
alter table public.profiles enable row level security;
grant select on public.profiles to authenticated, service_role;
grant insert (user_id, full_name, locale), update (full_name, locale) on public.profiles to authenticated;

create policy "People read their own profile"
on public.profiles
for select
to authenticated
using (user_id = (select auth.uid()));

create policy "People open their own profile"
on public.profiles
for insert
to authenticated
with check (user_id = (select auth.uid()));

create policy "People change their own profile"
on public.profiles
for update
to authenticated
using (user_id = (select auth.uid()))
with check (user_id = (select auth.uid()));

create function private.touch_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

comment on function private.touch_updated_at is 'Keeps updated_at true.';

create trigger touch_updated_at
before update on public.profiles
for each row execute function private.touch_updated_at();

create table private.operators (
  user_id uuid not null,
  reason text not null,
  added_at timestamptz not null default now(),
  constraint operators_pkey primary key (user_id),
  constraint operators_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade
);

comment on table private.operators is
  'Operators who may also change money, secrets and configuration. Rows are added by hand, in SQL.';
alter table private.operators enable row level security;

create function private.is_operator()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return coalesce((select auth.jwt()) -> 'app_metadata' ->> 'role' = 'operator', false);
end;
$$;

comment on function private.is_operator is 'Whether the caller''s token carries app_metadata.role = operator.';

create function private.require_operator()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not private.is_operator() then
    perform private.refuse('operator_required');
  end if;
end;
$$;

comment on function private.require_operator is 'First line of every function that operators read through. Refuses: operator_required.';

create function private.is_registered_operator()
returns boolean
language plpgsql
stable
security definer -- reads the list of operators, which nobody may see
set search_path = ''
as $$
begin
  return private.is_operator()
    and exists (select from private.operators as operator where operator.user_id = (select auth.uid()));
end;
$$;

comment on function private.is_registered_operator is 'Whether the caller is an operator who stands on the list too.';

create function private.require_registered_operator()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  perform private.require_operator();
  if not private.is_registered_operator() then
    perform private.refuse('operator_required', jsonb_build_object('registered', false));
  end if;
end;
$$;

comment on function private.require_registered_operator is
  'First line of what changes money, secrets or configuration: a token is not enough, the person must be on the list. Refuses: operator_required.';

create function private.require_service_or_registered_operator()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  -- Inside SECURITY DEFINER the role is still the caller's; `none` is a login of the database's own.
  if current_setting('role') not in ('service_role', 'none') then
    perform private.require_registered_operator();
  end if;
end;
$$;

comment on function private.require_service_or_registered_operator is
  'First line of what the service does and registered operators may do too. Refuses: operator_required.';

create function private.require_service_or_operator()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if current_setting('role') not in ('service_role', 'none') then
    perform private.require_operator();
  end if;
end;
$$;

comment on function private.require_service_or_operator is
  'First line of what the service and operators read alike. Refuses: operator_required.';
grant execute on function
  private.is_operator, private.is_registered_operator, private.require_operator, private.require_service_or_operator,
  private.require_registered_operator, private.require_service_or_registered_operator
to authenticated, service_role;

commit;
