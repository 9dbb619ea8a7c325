begin;

create function private.suppress_analytics_user(user_id text, anonymous_id text, reason text)
returns integer
language plpgsql
security definer -- as private.erase_analytics_user()
set search_path = ''
as $$
declare
  v_actor_id constant uuid := private.analytics_actor_id(suppress_analytics_user.user_id, suppress_analytics_user.anonymous_id);
  v_count integer;
begin
  perform private.require_service_or_registered_operator();
  if (v_actor_id is not null and coalesce(length(suppress_analytics_user.reason), 1) between 1 and 200) is not true then
    perform private.refuse('invalid_argument');
  end if;
  perform private.stop_analytics_writers();
  if suppress_analytics_user.reason is null then
    delete from public.analytics_suppressions as suppression
    where suppression.actor_id = any(private.analytics_actors_of(v_actor_id));
  else
    insert into public.analytics_suppressions (actor_id, reason)
    select actor, suppress_analytics_user.reason from unnest(private.analytics_actors_of(v_actor_id)) as actor
    on conflict on constraint analytics_suppressions_pkey do nothing;
  end if;
  get diagnostics v_count = row_count;
  perform private.note_analytics_erasure(
    case when suppress_analytics_user.reason is null then 'analytics.unsuppressed' else 'analytics.suppressed' end,
    v_actor_id, jsonb_build_object('actors', v_count)
  );
  return v_count;
end;
$$;

comment on function private.suppress_analytics_user is 'The work of public.suppress_analytics_user() and public.unsuppress_analytics_user().';

create function public.suppress_analytics_user(user_id text default null, anonymous_id text default null, reason text default 'opted out')
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  return private.suppress_analytics_user(
    suppress_analytics_user.user_id, suppress_analytics_user.anonymous_id, coalesce(suppress_analytics_user.reason, 'opted out')
  );
end;
$$;

comment on function public.suppress_analytics_user is
  'For registered operators and the service: from now on nothing is stored of a person; what is stored stays. Says how many of their ids that touched. Refuses: operator_required, invalid_argument.';

create function public.unsuppress_analytics_user(user_id text default null, anonymous_id text default null)
returns integer
language plpgsql
set search_path = ''
set statement_timeout = '10s'
as $$
begin
  return private.suppress_analytics_user(unsuppress_analytics_user.user_id, unsuppress_analytics_user.anonymous_id, null);
end;
$$;

comment on function public.unsuppress_analytics_user is
  'For registered operators and the service: a person''s events are stored again. After an erasure each of their ids is a person of its own. Refuses: operator_required, invalid_argument.';
grant execute on function public.suppress_analytics_user, public.unsuppress_analytics_user, private.suppress_analytics_user
to authenticated, service_role;

create function private.erase_suppressed_aliases()
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_link record;
  v_count integer := 0;
begin
  if not exists (select from private.analytics_suppressed_links) then
    return 0;
  end if;
  perform private.stop_analytics_writers();
  for v_link in select suppressed.alias_id, suppressed.reason from private.analytics_suppressed_links as suppressed
  loop
    perform private.note_analytics_erasure(
      'analytics.erased', v_link.alias_id, private.erase_analytics_actors(array[v_link.alias_id], v_link.reason)
    );
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

comment on function private.erase_suppressed_aliases is
  'Run by the schedule: an anonymous id that turns out to be a suppressed person is erased too, and suppressed under its own name. Says how many.';

commit;
