begin;

create table private.worker_wakeups (
  second_of_hour smallint not null,
  woken_at timestamptz not null default '-infinity',
  constraint worker_wakeups_pkey primary key (second_of_hour),
  constraint worker_wakeups_second_is_of_an_hour check (second_of_hour between 0 and 3599)
) with (fillfactor = 50);

comment on table private.worker_wakeups is
  'The turns to wake the worker: one for each second, so that a burst of work calls it once a second. '
  'Each row is written at most once an hour: a snapshot that is held for long leaves a kick nothing to wade through.';
comment on column private.worker_wakeups.woken_at is 'The last second, of those that fall on this row, whose turn was taken.';
alter table private.worker_wakeups enable row level security;
insert into private.worker_wakeups (second_of_hour) select generate_series(0, 3599);

create function private.wake_worker()
returns boolean
language plpgsql
security definer -- reads the worker's token from the vault
set search_path = ''
as $$
declare
  v_url text;
  v_token text;
begin
  if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null
    or to_regclass('vault.decrypted_secrets') is null then
    return false;
  end if;
  execute $vault$
    select
      max(secret.decrypted_secret) filter (where secret.name = 'functions_url'),
      max(secret.decrypted_secret) filter (where secret.name = 'worker_token')
    from vault.decrypted_secrets as secret
    where secret.name in ('functions_url', 'worker_token')
  $vault$ into v_url, v_token;
  if v_url is null or v_token is null then
    return false;
  end if;
  -- pg_net sends a batch in one transaction, which ends with its slowest request: until then no other is sent, and no
  -- event that is appended meanwhile is shown. So the worker is asked to answer at once.
  execute 'select net.http_post($1, $2, $3, $4, $5)'
  using rtrim(v_url, '/') || '/worker/run', '{}'::jsonb, '{"wait": "false"}'::jsonb,
    jsonb_build_object('Content-Type', 'application/json', 'Authorization', 'Bearer ' || v_token), 5000;
  return true;
end;
$$;

comment on function private.wake_worker is
  'Calls the worker once this transaction commits (pg_net); says whether it could. The Vault''s functions_url and worker_token say where and how.';

create function private.kick_worker()
returns void
language plpgsql
security definer -- writes a table that no role may write, and reads the vault
set search_path = ''
as $$
declare
  v_second timestamptz := date_trunc('second', clock_timestamp());
  v_turn smallint;
begin
  -- What is sent leaves with the commit: once is enough for a transaction. And once in a second is enough for a session to look
  -- whether it is its turn: beside storing one message, looking costs a third.
  if current_setting('app.worker_kicked', true) = 'yes' or current_setting('app.worker_looked', true) = extract(epoch from v_second)::text then
    return;
  end if;
  perform set_config('app.worker_looked', extract(epoch from v_second)::text, false);
  -- Under a fixed snapshot another's turn would be a serialization failure.
  if current_setting('transaction_isolation') = 'read committed' then
    select free.second_of_hour into v_turn from private.worker_wakeups as free
    where free.second_of_hour = (extract(epoch from v_second)::bigint % 3600)::smallint and free.woken_at <> v_second
    for no key update skip locked;
    if not found then
      return;
    end if;
    update private.worker_wakeups as turn set woken_at = v_second where turn.second_of_hour = v_turn;
  end if;
  perform set_config('app.worker_kicked', 'yes', true);
  begin
    perform private.wake_worker();
  exception when others then
    -- Caught because the work itself must not fail for it: the schedule wakes the worker anyway, and shows why it cannot.
    raise warning 'the worker cannot be woken: %', sqlstate;
  end;
end;
$$;

comment on function private.kick_worker is
  'Called by whatever makes work that is due now: wakes the worker at most once a second, once for a transaction, when that commits. '
  'It never waits and never fails.';
grant execute on function private.kick_worker to authenticated, service_role;

commit;
