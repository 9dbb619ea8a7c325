begin;

create type public.whatsapp_consent_scope as enum ('marketing', 'all');
create type public.whatsapp_consent_decision as enum ('stop', 'start');
create type public.whatsapp_consent_source as enum ('keyword', 'user_preferences', 'error_131050', 'operator');

comment on type public.whatsapp_consent_scope is
  'What a decision is about. marketing: promotions; all: promotions and conversation, but not what a person has just asked for (authentication).';
comment on type public.whatsapp_consent_decision is 'What a person wants of us.';
comment on type public.whatsapp_consent_source is
  'How we know. keyword: a word they sent; user_preferences: WhatsApp''s own switch; error_131050: Meta refused a send because of that switch.';

create table public.whatsapp_consent_words (
  words text not null,
  language text not null,
  scope public.whatsapp_consent_scope not null,
  decision public.whatsapp_consent_decision not null,
  constraint whatsapp_consent_words_pkey primary key (words),
  constraint whatsapp_consent_words_language_is_served check (language in ('en', 'fr', 'rw', 'sw')),
  constraint whatsapp_consent_words_words_are_folded check (words = btrim(words) and words !~ '[^a-z0-9 ]')
);

comment on table public.whatsapp_consent_words is
  'What a message must say, as a whole, to stop or start our messages. Words that also answer a question or order a ride (yes, cancel, end) are left out.';
comment on column public.whatsapp_consent_words.words is 'As private.folded_text() writes them: no capitals, accents or punctuation.';
alter table public.whatsapp_consent_words enable row level security;
grant select on public.whatsapp_consent_words to service_role;

insert into public.whatsapp_consent_words (language, scope, decision, words)
select said.language, said.scope::public.whatsapp_consent_scope, said.decision::public.whatsapp_consent_decision, unnest(said.words)
from (values
  ('en', 'all', 'stop', array['stop', 'stopall', 'stop all', 'unsubscribe', 'optout', 'opt out']),
  ('en', 'marketing', 'stop', array['stop promotions', 'stop promo', 'stop marketing', 'stop ads', 'no ads']),
  ('en', 'all', 'start', array['start', 'unstop', 'subscribe', 'resubscribe', 'optin', 'opt in']),
  ('fr', 'all', 'stop', array['arret', 'arreter', 'arretez', 'desabonner', 'desabonnement', 'me desabonner', 'se desabonner', 'desinscription']),
  ('fr', 'marketing', 'stop', array['stop pub', 'stop promos', 'arret pub', 'plus de pub']),
  ('fr', 'all', 'start', array['reabonner', 'sabonner', 'me reabonner', 'abonnement']),
  ('rw', 'all', 'stop', array['hagarika', 'guhagarika', 'hagarika ubutumwa']),
  ('rw', 'marketing', 'stop', array['hagarika kwamamaza', 'hagarika amatangazo']),
  ('rw', 'all', 'start', array['tangira', 'ongera utangire', 'tangira ubutumwa']),
  ('sw', 'all', 'stop', array['acha', 'simama', 'simamisha', 'sitisha', 'acha ujumbe', 'jiondoe']),
  ('sw', 'marketing', 'stop', array['acha matangazo', 'sitisha matangazo']),
  ('sw', 'all', 'start', array['anza', 'jiunge', 'anza tena', 'anza ujumbe'])
) as said (language, scope, decision, words);

create table public.whatsapp_consents (
  id uuid not null default private.uuid_v7(),
  kind public.whatsapp_identity_kind not null,
  value text not null,
  scope public.whatsapp_consent_scope not null,
  decision public.whatsapp_consent_decision not null,
  source public.whatsapp_consent_source not null,
  occurred_at timestamptz not null,
  evidence text not null,
  words text,
  delivery_id uuid,
  recorded_by uuid,
  created_at timestamptz not null default now(),
  correlation_id text default private.correlation_id(),
  constraint whatsapp_consents_pkey primary key (id),
  constraint whatsapp_consents_evidence_key unique (evidence),
  constraint whatsapp_consents_words_are_short check (length(words) <= 1000),
  constraint whatsapp_consents_operators_are_named check ((source = 'operator') = (recorded_by is not null))
);

comment on table public.whatsapp_consents is
  'What people have said about our messages. Rows are added, and nothing may change them; what holds is told by private.whatsapp_consent_of().';
comment on column public.whatsapp_consents.value is
  'The name that it was said under. Whose it is, whatsapp_identities tells for occurred_at: so it goes wherever that name goes.';
comment on column public.whatsapp_consents.occurred_at is 'Meta''s time. The latest counts, whatever order deliveries come in; stop counts if two are of one second.';
comment on column public.whatsapp_consents.evidence is
  'What proves it, once: source, then number and message id (a text, or the message that was refused), the hash of the event, or the row''s own id.';
comment on column public.whatsapp_consents.words is 'What was said: the message, Meta''s description, or the operator''s reason.';
create index whatsapp_consents_kind_value_idx on public.whatsapp_consents (kind, value);
alter table public.whatsapp_consents enable row level security;
grant select on public.whatsapp_consents to service_role;

create trigger refuse_change
before update or delete on public.whatsapp_consents
for each row execute function private.refuse_change();

commit;
