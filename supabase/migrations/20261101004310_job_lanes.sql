begin;

create table private.job_lanes (
  id uuid not null default private.uuid_v7(),
  job_type text not null,
  priority private.work_priority not null,
  low_position bigint not null default 0,
  next_low_position bigint not null default 0,
  known_at xid8 not null default '0',
  constraint job_lanes_pkey primary key (id),
  constraint job_lanes_job_type_fkey foreign key (job_type) references public.job_types (job_type) on delete cascade
) with (fillfactor = 50);

comment on table private.job_lanes is
  'The types and priorities that jobs have had: where a claim looks, and from which place on. While an old snapshot is held (a backup, a long report), '
  'no vacuum may take the dead entries of what was ready once out of the index; a claim that began at the front would wade through all of them. '
  'A lane may be there twice for a while: were it unique, whoever schedules its second job would wait for the transaction of the first.';
comment on column private.job_lanes.low_position is 'No ready job of this lane has a lower place.';
comment on column private.job_lanes.next_low_position is
  'Will be the low_position when every transaction has ended that ran when this was seen, and could have drawn a lower place.';
comment on column private.job_lanes.known_at is 'The transactions before this one could have.';
create index job_lanes_job_type_priority_idx on private.job_lanes (job_type, priority);
alter table private.job_lanes enable row level security;

create function private.open_job_lane(job_type text, priority integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not exists (
    select from private.job_lanes as lane where lane.job_type = open_job_lane.job_type and lane.priority = open_job_lane.priority
  ) then
    insert into private.job_lanes (job_type, priority) values (open_job_lane.job_type, open_job_lane.priority);
  end if;
end;
$$;

comment on function private.open_job_lane is 'Makes sure that claims look where a job of this type and priority will be. Never waits.';

create sequence private.job_positions cache 1;

create function private.next_job_position()
returns bigint
language plpgsql
set search_path = ''
as $$
begin
  -- The id first: whoever reads the sequence after this draw finds this transaction among the running ones.
  perform pg_current_xact_id();
  return nextval('private.job_positions');
end;
$$;

comment on function private.next_job_position is 'Draws a place for a job that becomes ready. Places only rise, so that a lane''s low_position may.';

create function private.raise_job_lanes()
returns void
language plpgsql
set search_path = ''
as $$
declare
  c_worthwhile constant integer := 4096;
  v_drawn bigint := (select sequence.last_value + 1 from private.job_positions as sequence);
begin
  with twin as materialized (
    select lane.id from private.job_lanes as lane
    where exists (
      select from private.job_lanes as earlier
      where earlier.job_type = lane.job_type and earlier.priority = lane.priority and earlier.id < lane.id
    )
    for update skip locked
  )
  delete from private.job_lanes as lane using twin where lane.id = twin.id;

  with seen as materialized (
    select lane.id, head.ready_position
    from private.job_lanes as lane
    left join lateral (
      select job.ready_position from public.background_jobs as job
      where job.job_type = lane.job_type and job.priority = lane.priority and job.state = 'ready'
        and job.ready_position >= lane.low_position
      order by job.ready_position
      limit 1
    ) as head on true
    where lane.known_at <= pg_snapshot_xmin(pg_current_snapshot())
      and coalesce(head.ready_position, v_drawn) >= lane.low_position + c_worthwhile
    for no key update of lane skip locked
  )
  update private.job_lanes as lane set
    low_position = greatest(lane.low_position, least(lane.next_low_position, seen.ready_position)),
    next_low_position = coalesce(seen.ready_position, v_drawn),
    known_at = pg_snapshot_xmax(pg_current_snapshot())
  from seen
  where lane.id = seen.id;
end;
$$;

comment on function private.raise_job_lanes is
  'Moves the places from which claims look past what is ready no more. A place that somebody has drawn and not committed yet is never passed.';

commit;
