begin;

create type public.phone_link_status as enum ('none', 'code_expected', 'linked', 'under_review');
create type public.phone_link_proof as enum ('otp', 'whatsapp_code', 'merged_contacts');
create type public.phone_link_decision as enum ('approved', 'rejected');

comment on type public.phone_link_status is
  'How far a user is with a phone number. code_expected: the code that we gave must come from it by WhatsApp; under_review: it is somebody else''s.';
comment on type public.phone_link_proof is
  'What shows that a number is a user''s. merged_contacts: Meta says that the contacts of two users are one person.';
comment on type public.phone_link_decision is 'What an operator made of a claim.';

create table private.phone_link_codes (
  user_id uuid not null,
  phone text not null,
  code_hash bytea not null,
  wrong_count integer not null default 0,
  requested_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '10 minutes',
  constraint phone_link_codes_pkey primary key (user_id),
  constraint phone_link_codes_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
  constraint phone_link_codes_phone_is_e164 check (phone ~ '^\+[1-9]\d{6,14}$')
);

comment on table private.phone_link_codes is 'The codes that users were given and must send by WhatsApp: one each, good once, for ten minutes and five tries.';
comment on column private.phone_link_codes.code_hash is 'SHA-256 of user id and code.';
create index phone_link_codes_phone_idx on private.phone_link_codes (phone);
alter table private.phone_link_codes enable row level security;

create table public.phone_link_reviews (
  id uuid not null default private.uuid_v7(),
  phone text not null,
  user_id uuid not null,
  held_by_user_id uuid not null,
  proof public.phone_link_proof not null,
  decision public.phone_link_decision,
  reason text,
  decided_by uuid,
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint phone_link_reviews_pkey primary key (id),
  constraint phone_link_reviews_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
  constraint phone_link_reviews_held_by_user_id_fkey foreign key (held_by_user_id) references auth.users (id) on delete cascade,
  constraint phone_link_reviews_phone_is_e164 check (phone ~ '^\+[1-9]\d{6,14}$'),
  constraint phone_link_reviews_are_decided_by_somebody check (
    num_nulls(decision, reason, decided_by, decided_at) in (0, 4)
  )
);

comment on table public.phone_link_reviews is
  'Claims to a phone number that another user holds: nothing changes until an operator has decided.';
comment on column public.phone_link_reviews.user_id is 'Who claims it.';
create unique index phone_link_reviews_open_key on public.phone_link_reviews (user_id, phone) where decision is null;
create index phone_link_reviews_user_id_idx on public.phone_link_reviews (user_id);
create index phone_link_reviews_held_by_user_id_idx on public.phone_link_reviews (held_by_user_id);
create index phone_link_reviews_waiting_idx on public.phone_link_reviews (id) where decision is null;
alter table public.phone_link_reviews enable row level security;
grant select on public.phone_link_reviews to service_role;

create type public.phone_link as (
  status public.phone_link_status,
  phone text,
  code text,
  expires_at timestamptz
);

comment on type public.phone_link is 'A user''s link with a phone number. The code is shown once, when it is made.';

commit;
