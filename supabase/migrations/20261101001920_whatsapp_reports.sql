begin;

create type public.whatsapp_report_subject as enum ('template', 'number', 'account');

comment on type public.whatsapp_report_subject is 'What Meta tells the state of.';

create table public.whatsapp_reports (
  subject_kind public.whatsapp_report_subject not null,
  subject text[] not null,
  topic text not null,
  payload jsonb not null,
  reported_at timestamptz not null,
  delivery_id uuid,
  constraint whatsapp_reports_pkey primary key (subject_kind, subject, topic)
);

comment on table public.whatsapp_reports is
  'The latest that Meta has told of each template, number and account, by topic and Meta''s time, whatever order it is learned in. '
  'Read it through whatsapp_templates, whatsapp_number_states and whatsapp_account_states.';
comment on column public.whatsapp_reports.subject is
  'Template: account, name and language. Number: the digits of its display number, because events do not tell its id. Account: its id.';
comment on column public.whatsapp_reports.topic is
  'What it is about: status, quality, category, limit, throughput, name, capability, or the event of an account_update; of templates also '
  'listing (as the Graph API lists it) and refusal (of a message).';
comment on column public.whatsapp_reports.payload is 'The value of the change, or the answer, as Meta sent it.';
comment on column public.whatsapp_reports.reported_at is 'Meta''s time; of an answer, when it was given.';
comment on column public.whatsapp_reports.delivery_id is 'Null where Meta answered a request of ours.';
create index whatsapp_reports_template_name_idx on public.whatsapp_reports ((subject[2])) where subject_kind = 'template';
alter table public.whatsapp_reports enable row level security;
grant select on public.whatsapp_reports to service_role;

commit;
