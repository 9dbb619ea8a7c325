begin;

create table private.whatsapp_senders (
  phone_number_id text not null,
  portfolio text not null default 'default',
  messages_per_second integer,
  paced_until timestamptz not null default '-infinity',
  constraint whatsapp_senders_pkey primary key (phone_number_id),
  constraint whatsapp_senders_phone_number_id_is_short check (length(phone_number_id) between 1 and 64),
  constraint whatsapp_senders_throughput_is_positive check (messages_per_second > 0)
);

comment on table private.whatsapp_senders is 'The numbers that we send from, learned as messages are enqueued. Whoever claims for a number holds its row.';
comment on column private.whatsapp_senders.portfolio is 'Numbers of one business portfolio share its messaging limit; events do not tell which they are.';
comment on column private.whatsapp_senders.messages_per_second is
  'What Meta lets the number send and receive, where it is neither 80 nor, after an upgrade that Meta told of, 1,000 (20 beside the phone app).';
comment on column private.whatsapp_senders.paced_until is 'The throughput limit (GCRA): when the messages claimed so far will have been paid for.';
alter table private.whatsapp_senders enable row level security;

create table private.whatsapp_portfolios (
  portfolio text not null,
  messaging_limit integer,
  constraint whatsapp_portfolios_pkey primary key (portfolio),
  constraint whatsapp_portfolios_limit_is_positive check (messaging_limit > 0)
);

comment on table private.whatsapp_portfolios is 'Whoever spends of a portfolio''s messaging limit holds its row.';
comment on column private.whatsapp_portfolios.messaging_limit is
  'People a day that may be written to outside their windows, where Meta''s events do not tell or shall not count. Null: as Meta told last.';
alter table private.whatsapp_portfolios enable row level security;
insert into private.whatsapp_portfolios (portfolio) values ('default');
alter table private.whatsapp_senders add constraint whatsapp_senders_portfolio_fkey
  foreign key (portfolio) references private.whatsapp_portfolios (portfolio);
create index whatsapp_senders_portfolio_idx on private.whatsapp_senders (portfolio);

create table private.whatsapp_reached_contacts (
  portfolio text not null,
  contact_id uuid not null,
  reached_at timestamptz not null,
  constraint whatsapp_reached_contacts_pkey primary key (portfolio, contact_id)
);

comment on table private.whatsapp_reached_contacts is 'Whom a portfolio has written to outside a window, and since when that counts: again within a day is free.';
create index whatsapp_reached_contacts_reached_at_idx on private.whatsapp_reached_contacts (reached_at);
alter table private.whatsapp_reached_contacts enable row level security;

create table private.whatsapp_reached_hours (
  portfolio text not null,
  hour_from timestamptz not null,
  contact_count integer not null,
  constraint whatsapp_reached_hours_pkey primary key (portfolio, hour_from)
);

comment on table private.whatsapp_reached_hours is 'How many were reached in each hour, so that a day''s are not counted one by one.';
alter table private.whatsapp_reached_hours enable row level security;

create function private.whatsapp_tier_limit(tier text)
returns integer
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_number text := substring(whatsapp_tier_limit.tier from '^(?:TIER_)?(\d{1,7})K?$');
begin
  return v_number::integer * case when whatsapp_tier_limit.tier like '%K' then 1000 else 1 end;
end;
$$;

comment on function private.whatsapp_tier_limit is 'TIER_250, TIER_10K or a count as a number; null for TIER_UNLIMITED and what is not known.';

create function private.whatsapp_messaging_limit(portfolio text)
returns integer
language plpgsql
stable
set search_path = ''
as $$
declare
  v_limit integer;
begin
  select spent.messaging_limit into v_limit
  from private.whatsapp_portfolios as spent
  where spent.portfolio = whatsapp_messaging_limit.portfolio;
  if v_limit is null then
    select private.whatsapp_tier_limit(number.messaging_limit) into v_limit
    from public.whatsapp_number_states as number
    join private.whatsapp_senders as sender on sender.phone_number_id = number.phone_number_id
    where sender.portfolio = whatsapp_messaging_limit.portfolio and number.messaging_limit is not null
    order by number.messaging_limit_as_of desc
    limit 1;
  end if;
  return v_limit;
end;
$$;

comment on function private.whatsapp_messaging_limit is
  'How many people a day a portfolio may write to outside their windows; null for any number, also while Meta has told nothing (it tells '
  'changes only) and nobody has set it.';

create function private.reach_whatsapp_contact(portfolio text, contact_id uuid)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_limit integer;
begin
  if exists (
    select from private.whatsapp_reached_contacts as reached
    where reached.portfolio = reach_whatsapp_contact.portfolio and reached.contact_id = reach_whatsapp_contact.contact_id
      and reached.reached_at > now() - interval '24 hours'
  ) then
    return true;
  end if;
  v_limit := private.whatsapp_messaging_limit(reach_whatsapp_contact.portfolio);
  if v_limit <= (
    select coalesce(sum(hour.contact_count), 0) from private.whatsapp_reached_hours as hour
    where hour.portfolio = reach_whatsapp_contact.portfolio and hour.hour_from > now() - interval '25 hours'
  ) then
    return false;
  end if;
  insert into private.whatsapp_reached_contacts (portfolio, contact_id, reached_at)
  values (reach_whatsapp_contact.portfolio, reach_whatsapp_contact.contact_id, now())
  on conflict on constraint whatsapp_reached_contacts_pkey do update set reached_at = excluded.reached_at;
  insert into private.whatsapp_reached_hours as hour (portfolio, hour_from, contact_count)
  values (reach_whatsapp_contact.portfolio, date_trunc('hour', now(), 'UTC'), 1)
  on conflict on constraint whatsapp_reached_hours_pkey do update set contact_count = hour.contact_count + 1;
  return true;
end;
$$;

comment on function private.reach_whatsapp_contact is
  'Whether a portfolio may write to a contact outside its window now, and counts it if so. A day is counted by whole hours, so at most an '
  'hour too long. The caller holds the portfolio.';

create function private.whatsapp_throughput(sender private.whatsapp_senders)
returns numeric
language plpgsql
stable
set search_path = ''
as $$
declare
  v_throughput integer := (whatsapp_throughput.sender).messages_per_second;
begin
  if v_throughput is null then
    select case when state.throughput_upgraded_at is not null then 1000 else 80 end into v_throughput
    from public.whatsapp_number_states as state
    where state.phone_number_id = (whatsapp_throughput.sender).phone_number_id;
  end if;
  return coalesce(v_throughput, 80) * (private.whatsapp_sending_rules()).usable_throughput;
end;
$$;

comment on function private.whatsapp_throughput is 'How many messages a second a number may send.';

insert into private.schedule (name, cron, command) values
  ('purge-whatsapp-reached-contacts', '35 * * * *',
    'with hours as (delete from private.whatsapp_reached_hours where hour_from < now() - interval ''2 days'') '
    'delete from private.whatsapp_reached_contacts where reached_at < now() - interval ''2 days''');

commit;
