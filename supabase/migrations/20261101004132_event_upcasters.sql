begin;

create table private.event_upcasters (
  event_type text collate "C" not null,
  schema_version smallint not null,
  upcaster text not null,
  constraint event_upcasters_pkey primary key (event_type, schema_version)
);

comment on table private.event_upcasters is
  'How an old payload is read as the next shape: stored events stay as they are, readers see the newest. By private.register_event_upcaster().';
comment on column private.event_upcasters.schema_version is 'The version that is read as the next one.';
comment on column private.event_upcasters.upcaster is 'A function of the payload that gives the payload; its name, because pg_upgrade takes no regprocedure columns.';
alter table private.event_upcasters enable row level security;

create function private.register_event_upcaster(event_type text, schema_version integer, upcaster regprocedure)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_upcaster text := register_event_upcaster.upcaster::regproc::text;
begin
  if register_event_upcaster.upcaster is distinct from to_regprocedure(v_upcaster || '(jsonb)') then
    raise exception '% is not a function of one jsonb', register_event_upcaster.upcaster using errcode = 'invalid_parameter_value';
  end if;
  insert into private.event_upcasters (event_type, schema_version, upcaster)
  values (register_event_upcaster.event_type, register_event_upcaster.schema_version, v_upcaster)
  on conflict on constraint event_upcasters_pkey do update set upcaster = excluded.upcaster;
end;
$$;

comment on function private.register_event_upcaster is
  'For migrations: from now on payloads of this type and version are read through that function, as the version above it. Of two steps each is registered alone.';

create function private.upcast_types()
returns text[]
language plpgsql
stable
security definer -- reads a table that no role may see
set search_path = ''
as $$
begin
  return array(select distinct upcaster.event_type from private.event_upcasters as upcaster);
end;
$$;

comment on function private.upcast_types is 'The types of events of which some are not read as they are stored.';

create function private.upcast_event(event public.event_store)
returns public.event_store
language plpgsql
stable
security definer -- as private.upcast_types(); upcasters belong to the owner too
set search_path = ''
as $$
declare
  v_event public.event_store := upcast_event.event;
  v_upcaster text;
begin
  loop
    select upcaster.upcaster into v_upcaster
    from private.event_upcasters as upcaster
    where upcaster.event_type = v_event.event_type and upcaster.schema_version = v_event.schema_version;
    exit when not found;
    execute format('select %s($1)', v_upcaster) into v_event.payload using v_event.payload;
    v_event.schema_version := v_event.schema_version + 1;
  end loop;
  return v_event;
end;
$$;

comment on function private.upcast_event is 'The event with its payload in the newest shape that there are upcasters for.';
grant execute on function private.upcast_types, private.upcast_event to service_role;

commit;
