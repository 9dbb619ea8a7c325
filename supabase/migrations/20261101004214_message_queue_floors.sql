begin;

create table private.message_queue_floors (
  name text not null,
  floor_value bigint not null default 0,
  next_value bigint not null default 0,
  next_transaction_id xid8 not null default '0',
  constraint message_queue_floors_pkey primary key (name)
)
with (fillfactor = 50);

comment on table private.message_queue_floors is
  'From where the schedule walks an index: below nothing can turn up any more. Like the marks of claims, this spares it the entries of '
  'finished messages that an old snapshot keeps; unlike them it is never wrong.';
comment on column private.message_queue_floors.next_value is
  'The next floor, once every transaction up to next_transaction_id has ended: later ones write at it or above.';
alter table private.message_queue_floors enable row level security;

create function private.floor_of(name text, out floor_value bigint, out safe_value bigint)
language plpgsql
set search_path = ''
as $$
begin
  select floor.floor_value, case when floor.next_transaction_id < pg_snapshot_xmin(pg_current_snapshot()) then floor.next_value end
  into floor_value, safe_value
  from private.message_queue_floors as floor
  -- Restored into another cluster, its transaction ids mean nothing.
  where floor.name = floor_of.name and floor.next_transaction_id <= pg_snapshot_xmax(pg_current_snapshot());
  if not found then
    floor_value := 0;
    safe_value := 0;
  end if;
end;
$$;

comment on function private.floor_of is
  'The floor of that name, asked before a walk; and how high it may be after it: up to there whatever will ever turn up can be seen by now. '
  'Null while a transaction runs that could still bring something.';

create function private.raise_floor(name text, raised bigint, reached bigint, transaction_id xid8)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.message_queue_floors as floor (name, floor_value, next_value, next_transaction_id)
  values (raise_floor.name, raise_floor.raised, raise_floor.reached, raise_floor.transaction_id)
  on conflict on constraint message_queue_floors_pkey do update set
    floor_value = excluded.floor_value, next_value = excluded.next_value, next_transaction_id = excluded.next_transaction_id;
end;
$$;

comment on function private.raise_floor is
  'Sets a floor after a walk that left nothing below `raised`, and notes the next: every transaction after transaction_id writes at `reached` '
  'or above.';

commit;
