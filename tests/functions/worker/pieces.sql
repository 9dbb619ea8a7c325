-- Two kinds of work, each of whose effects is written with its completion.
create table public.effects (
  id bigint generated always as identity primary key,
  piece text not null,
  attempt_count integer,
  correlation_id text
);

create table public.pieces (
  id bigint generated always as identity primary key,
  name text not null,
  fails boolean not null default false,
  correlation_id text
);

create function public.run_pieces(max_count integer)
returns jsonb
language plpgsql
as $$
declare
  v_done integer;
  v_failed integer;
begin
  with taken as materialized (
    select piece.id from public.pieces as piece order by piece.id for update skip locked limit run_pieces.max_count
  ), removed as (
    delete from public.pieces as piece using taken where piece.id = taken.id returning piece.*
  ), effected as (
    insert into public.effects (piece, correlation_id)
    select removed.name, removed.correlation_id from removed where not removed.fails
    returning 1
  )
  select (select count(*) from effected), (select count(*) from removed) - (select count(*) from effected)
  into v_done, v_failed;
  return jsonb_build_object('done', v_done, 'failed', v_failed, 'more', v_done + v_failed = run_pieces.max_count);
end;
$$;

create table public.leased_pieces (
  id bigint generated always as identity primary key,
  name text not null,
  correlation_id text,
  lease_token bigint,
  leased_until timestamptz not null default '-infinity',
  attempt_count integer not null default 0,
  last_error text
);
create sequence public.lease_tokens;

create function public.claim_pieces(max_count integer, lease_milliseconds integer)
returns setof public.leased_pieces
language sql
as $$
  with free as materialized (
    select piece.id from public.leased_pieces as piece
    where piece.leased_until <= now() order by piece.id for update skip locked limit max_count
  )
  update public.leased_pieces as piece set
    lease_token = nextval('public.lease_tokens'),
    leased_until = clock_timestamp() + make_interval(secs => lease_milliseconds / 1000.0),
    attempt_count = piece.attempt_count + 1
  from free where piece.id = free.id
  returning piece.*;
$$;

create function public.complete_pieces(ids bigint[], lease_tokens bigint[])
returns integer
language sql
as $$
  with removed as (
    delete from public.leased_pieces as piece
    where piece.id = any (ids) and piece.lease_token = any (lease_tokens)
    returning piece.*
  ), effected as (
    insert into public.effects (piece, attempt_count, correlation_id)
    select removed.name, removed.attempt_count, private.correlation_id() from removed
    returning 1
  )
  select count(*) from effected;
$$;

create function public.fail_pieces(ids bigint[], lease_tokens bigint[], errors text[])
returns integer
language sql
as $$
  with failed as (
    update public.leased_pieces as piece set
      leased_until = now() + interval '1 hour',
      lease_token = null,
      last_error = errors[array_position(lease_tokens, piece.lease_token)]
    where piece.id = any (ids) and piece.lease_token = any (lease_tokens)
    returning 1
  )
  select count(*) from failed;
$$;

create function public.release_pieces(ids bigint[], lease_tokens bigint[])
returns integer
language sql
as $$
  with released as (
    update public.leased_pieces as piece set
      leased_until = '-infinity', lease_token = null, attempt_count = piece.attempt_count - 1
    where piece.id = any (ids) and piece.lease_token = any (lease_tokens)
    returning 1
  )
  select count(*) from released;
$$;

grant select, insert, update, delete on public.effects, public.pieces, public.leased_pieces to service_role;
grant usage on sequence public.lease_tokens to service_role;
grant execute on function
  public.run_pieces, public.claim_pieces, public.complete_pieces, public.fail_pieces, public.release_pieces
to service_role;
