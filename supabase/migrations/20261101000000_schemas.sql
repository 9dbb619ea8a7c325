begin;

create extension if not exists pgcrypto with schema extensions;
create extension if not exists cube with schema extensions;

-- Nothing is granted by default, on new projects (where that is so already) and on old ones alike.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;

create schema private;
comment on schema private is 'Helpers, trigger functions, SECURITY DEFINER functions and materialized views. Not exposed by the API.';
create schema partitions;
comment on schema partitions is 'The monthly leaves of the partitioned tables in public. Read and write them through their parents.';
create schema archive;
comment on schema archive is 'Leaves past their first retention date, detached; dropped after the second.';

-- Invoker functions in public call helpers in private; each helper is granted by name.
grant usage on schema private to anon, authenticated, service_role;

commit;
