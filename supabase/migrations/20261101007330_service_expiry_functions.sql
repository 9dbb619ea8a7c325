begin;

create function private.expire_services(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  -- A row that a heartbeat is just writing is skipped; one that it has just written is looked at again under the lock.
  with silent as materialized (
    select service.id from public.service_registry as service
    where service.expired_at is null and service.last_heartbeat_at < now() - make_interval(secs => service.ttl_seconds)
    order by service.id
    limit expire_services.max_count
    for no key update skip locked
  )
  update public.service_registry as service set expired_at = now() from silent where service.id = silent.id;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.expire_services is 'Marks instances whose heartbeat is overdue, which makes them critical; says how many.';

create function private.silence_to_deregister()
returns interval
language plpgsql
stable
set search_path = ''
as $$
declare
  v_all bigint;
  v_silent bigint;
begin
  select count(*), count(*) filter (where service.expired_at is not null) into v_all, v_silent from public.service_registry as service;
  return case when v_silent >= 3 and v_silent > v_all * 0.15 then interval '1 day' else interval '15 minutes' end;
end;
$$;

comment on function private.silence_to_deregister is
  'How long an expired instance stays registered. When more than 15 % are silent (three at least), the way to us is more likely broken than they are: then a day '
  '(Eureka''s self-preservation).';

create function private.deregister_silent_services(max_count integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_before constant timestamptz := now() - private.silence_to_deregister();
  v_count integer;
begin
  -- Counted from when the silence was noticed: had the database itself been away, nobody could have beaten.
  with gone as materialized (
    select service.id from public.service_registry as service
    where service.expired_at < v_before
    order by service.id
    limit deregister_silent_services.max_count
    for update skip locked
  )
  delete from public.service_registry as service using gone where service.id = gone.id;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.deregister_silent_services is 'Deregisters instances that have been silent for long; says how many.';

create function private.tend_services()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.deregister_silent_services(500);
  perform private.expire_services(500);
end;
$$;

comment on function private.tend_services is 'Run by the schedule every five seconds: who is silent expires, and is deregistered in the end. May run beside itself.';

insert into private.schedule (name, cron, command) values
  ('tend-services', '5 seconds', 'select private.tend_services()');

commit;
