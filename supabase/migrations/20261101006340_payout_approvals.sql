begin;

create table public.payout_rules (
  currency char(3) not null,
  approval_above public.wallet_amount not null,
  largest_amount public.wallet_amount not null,
  day_amount public.wallet_amount not null,
  constraint payout_rules_pkey primary key (currency),
  constraint payout_rules_currency_fkey foreign key (currency) references public.currencies (code),
  constraint payout_rules_amounts_rise check (approval_above <= largest_amount and largest_amount <= day_amount)
);

comment on table public.payout_rules is 'What may be paid out in a currency; where there is no row, every payout waits for an approval.';
comment on column public.payout_rules.approval_above is 'A payout above it waits for an operator (approve_payout).';
comment on column public.payout_rules.day_amount is 'What one wallet may be paid out on a day of Kigali, with what is under way.';
alter table public.payout_rules enable row level security;
grant select, insert, update on public.payout_rules to service_role;

insert into public.payout_rules (currency, approval_above, largest_amount, day_amount) values
  ('EUR', 20000, 300000, 500000),
  ('RWF', 200000, 2000000, 5000000);

select private.audit_table('public.payout_rules');

create type public.payout_decision as enum ('waiting', 'approved', 'rejected');
comment on type public.payout_decision is 'Where a payout stands that needs an approval.';

create table public.payout_approvals (
  transaction_id uuid not null,
  status public.payout_decision not null default 'waiting',
  asked_by text not null,
  decided_by text,
  decided_at timestamptz,
  note text,
  created_at timestamptz not null default now(),
  constraint payout_approvals_pkey primary key (transaction_id),
  constraint payout_approvals_decisions_have_an_author check ((status = 'waiting') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  constraint payout_approvals_need_two_people check (decided_by <> asked_by)
);

comment on table public.payout_approvals is 'The payouts that need an approval, and who gave or refused it.';
comment on column public.payout_approvals.asked_by is 'As private.caller() tells them.';
create index payout_approvals_waiting_idx on public.payout_approvals (created_at) where status = 'waiting';
alter table public.payout_approvals enable row level security;
grant select on public.payout_approvals to service_role;

create function private.guard_payout()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_transaction public.transactions;
  v_rule public.payout_rules;
  v_day constant timestamptz := date_trunc('day', now(), 'Africa/Kigali');
begin
  select * into strict v_transaction from public.transactions as stored where stored.id = new.transaction_id;
  select * into v_rule from public.payout_rules as rule where rule.currency = new.currency;
  -- Payouts of one wallet follow each other here, so that two at once cannot share what is left of the day.
  perform pg_advisory_xact_lock(hashtextextended('payouts ' || v_transaction.from_account_id, 0));
  if new.amount > v_rule.largest_amount or v_rule.day_amount < (
    select sum(stored.amount) from public.transactions as stored
    where stored.id >= private.uuid_v7_floor(v_day) and stored.from_account_id = v_transaction.from_account_id
      and stored.type = 'payout' and stored.status not in ('failed', 'cancelled', 'expired')
  ) then
    perform private.refuse('wallet_limit_exceeded', jsonb_build_object(
      'account_id', v_transaction.from_account_id, 'limit', case when new.amount > v_rule.largest_amount then 'largest_payout' else 'payouts_of_a_day' end
    ));
  end if;
  if new.amount <= v_rule.approval_above then
    return new;
  end if;
  new.is_blocked := true;
  insert into public.payout_approvals (transaction_id, asked_by) values (new.transaction_id, v_transaction.actor);
  return new;
end;
$$;

comment on function private.guard_payout is 'Keeps payouts within their limits, and from the provider until somebody has approved those that are large. Refuses: wallet_limit_exceeded.';

create trigger guard_payout
before insert on public.payment_attempts
for each row when (new.kind = 'payout')
execute function private.guard_payout();

create function private.require_second_person(transaction public.transactions)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  perform private.require_registered_operator();
  if private.caller() = (require_second_person.transaction).actor or exists (
    select from public.profiles as profile
    where profile.id = (require_second_person.transaction).profile_id and profile.user_id = (select auth.uid())
  ) then
    perform private.refuse('second_person_needed');
  end if;
end;
$$;

comment on function private.require_second_person is
  'Four eyes: a registered operator who neither asked for it nor is paid. Refuses: operator_required, second_person_needed.';

create function private.decide_payout(transaction_id uuid, decision public.payout_decision, note text)
returns jsonb
language plpgsql
security definer -- no role may write approvals
set search_path = ''
as $$
declare
  v_transaction public.transactions;
begin
  perform private.require_registered_operator();
  v_transaction := private.lock_transaction(decide_payout.transaction_id);
  perform private.require_second_person(v_transaction);
  update public.payout_approvals as approval set
    status = decide_payout.decision, decided_by = private.caller(), decided_at = now(), note = decide_payout.note
  where approval.transaction_id = v_transaction.id and approval.status = 'waiting' and v_transaction.status = 'pending';
  if not found then
    perform private.refuse('transaction_state_conflict', jsonb_build_object('status', v_transaction.status));
  end if;

  if decide_payout.decision = 'approved' then
    -- What was set aside must outlast the days in which the provider may be asked about it.
    if not exists (
      select from public.wallet_holds as hold
      where hold.id = v_transaction.hold_id and hold.status = 'held' and hold.expires_at > now() + interval '4 days'
    ) then
      perform private.refuse('transaction_state_conflict', '{"hold": "expired"}');
    end if;
    -- Its time begins now.
    update public.payment_attempts as attempt set is_blocked = false, created_at = now(), next_check_at = now()
    where attempt.transaction_id = v_transaction.id;
    perform private.kick_worker();
  else
    v_transaction := private.end_transaction(v_transaction, 'cancelled', null, 'rejected', decide_payout.note);
    perform private.close_payment_attempt(v_transaction.id);
  end if;
  perform private.log_audit_event(
    actor.actor_type, actor.actor_identifier, decide_payout.decision || '_payout', 'transactions', v_transaction.id::text,
    jsonb_build_object('amount', v_transaction.amount, 'currency', v_transaction.currency, 'note', decide_payout.note)
  )
  from private.current_actor() as actor;
  return private.transaction_answer(v_transaction);
end;
$$;

comment on function private.decide_payout is
  'The work of public.approve_payout() and public.reject_payout(). Refuses: transaction_state_conflict.';

create function public.approve_payout(transaction_id uuid, note text default null)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if length(approve_payout.note) > 500 then
    perform private.refuse('invalid_argument');
  end if;
  return private.decide_payout(approve_payout.transaction_id, 'approved', approve_payout.note);
end;
$$;

comment on function public.approve_payout is
  'For registered operators, not the one who asked nor the one who is paid: lets a payout go to the provider. '
  'Refuses: operator_required, second_person_needed, transaction_not_found, transaction_state_conflict (it is decided, needs no approval, or has waited for 27 days: reject it), invalid_argument.';

create function public.reject_payout(transaction_id uuid, note text)
returns jsonb
language plpgsql
set search_path = ''
set statement_timeout = '5s'
as $$
begin
  if (length(reject_payout.note) between 1 and 500) is not true then
    perform private.refuse('invalid_argument');
  end if;
  return private.decide_payout(reject_payout.transaction_id, 'rejected', reject_payout.note);
end;
$$;

comment on function public.reject_payout is
  'For registered operators, not the one who asked nor the one who is paid: cancels a payout that waits, and what was set aside for it is free again. '
  'Refuses: operator_required, second_person_needed, transaction_not_found, transaction_state_conflict, invalid_argument (a note of 1 to 500 characters is needed).';
grant execute on function public.approve_payout, public.reject_payout, private.decide_payout to authenticated, service_role;

commit;
