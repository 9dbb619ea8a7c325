begin;

create table public.conversation_numbers (
  phone_number_id text not null,
  is_enabled boolean not null,
  enabled_at timestamptz not null default now(),
  news_template text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint conversation_numbers_pkey primary key (phone_number_id),
  constraint conversation_numbers_phone_number_id_is_short check (phone_number_id ~ '^\w{1,64}$'),
  constraint conversation_numbers_news_template_is_a_name check (news_template ~ '^[a-z0-9_]+$' and length(news_template) <= 512)
);

comment on table public.conversation_numbers is
  'Our WhatsApp numbers at which the bot answers. Where there is no row, or a disabled one, what comes in is left to other consumers.';
comment on column public.conversation_numbers.enabled_at is 'Messages from before are not answered.';
comment on column public.conversation_numbers.news_template is
  'An approved template with one parameter in its body, in en, fr, rw_RW and sw: news of a trip go out by it when the window is closed. '
  'Null: such news are not sent then.';
alter table public.conversation_numbers enable row level security;
grant select on public.conversation_numbers to service_role;

create trigger touch_updated_at
before update on public.conversation_numbers
for each row execute function private.touch_updated_at();

create table private.conversation_commands (
  message_id uuid not null,
  fingerprint bytea not null,
  outcome jsonb not null,
  created_at timestamptz not null default now(),
  constraint conversation_commands_pkey primary key (message_id, fingerprint)
);

comment on table private.conversation_commands is
  'What each command of each inbound message came to: a message that is worked on again finds it here and does nothing twice.';
create index conversation_commands_created_at_idx on private.conversation_commands (created_at);
alter table private.conversation_commands enable row level security;

create function private.set_conversation_number(phone_number_id text, is_enabled boolean, news_template text)
returns public.conversation_numbers
language plpgsql
security definer -- the only writer of the numbers
set search_path = ''
as $$
declare
  v_number public.conversation_numbers;
begin
  insert into public.conversation_numbers as stored (phone_number_id, is_enabled, news_template)
  values (
    set_conversation_number.phone_number_id, set_conversation_number.is_enabled, set_conversation_number.news_template
  )
  on conflict on constraint conversation_numbers_pkey do update set
    enabled_at = case when excluded.is_enabled and not stored.is_enabled then now() else stored.enabled_at end,
    is_enabled = excluded.is_enabled,
    news_template = excluded.news_template
  returning stored.* into v_number;
  return v_number;
end;
$$;

comment on function private.set_conversation_number is 'The work of public.set_conversation_number().';

create function public.set_conversation_number(phone_number_id text, is_enabled boolean, news_template text default null)
returns public.conversation_numbers
language plpgsql
set search_path = ''
set statement_timeout = '2s'
as $$
begin
  if (
    set_conversation_number.phone_number_id ~ '^\w{1,64}$' and set_conversation_number.is_enabled is not null
    and coalesce(set_conversation_number.news_template ~ '^[a-z0-9_]+$' and length(set_conversation_number.news_template) <= 512, true)
  ) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.set_conversation_number(
    set_conversation_number.phone_number_id, set_conversation_number.is_enabled, set_conversation_number.news_template
  );
end;
$$;

comment on function public.set_conversation_number is
  'Switches the conversation on or off at one of our numbers; on, it answers what is written from then on. Refuses: invalid_argument.';
grant execute on function public.set_conversation_number, private.set_conversation_number to service_role;

-- A message that cannot be answered must not silence somebody for good.
select private.create_queue(
  'conversation', max_attempts => 8, lease_seconds => 60, shortest_backoff => '1 second', longest_backoff => '5 minutes',
  keep_history => 'failures', keeps_lane_behind_dead => false
);

insert into private.schedule (name, cron, command) values
  ('purge-conversation-commands', '25 1 * * *', 'delete from private.conversation_commands where created_at < now() - interval ''7 days''');

commit;
