-- What a hosted database holds before the first migration. Run once per database, as the cluster's superuser.
do $$
begin
  execute format('alter database %I owner to postgres', current_database());
end;
$$;
grant all on schema public to postgres;
grant usage on schema public to anon, authenticated, service_role;

create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;
alter default privileges in schema extensions grant all on functions to anon, authenticated, service_role;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension cube with schema extensions;
create extension earthdistance with schema extensions;
create extension pg_trgm with schema extensions;
create extension btree_gist with schema extensions;

create schema auth authorization supabase_auth_admin;
grant usage on schema auth to postgres, anon, authenticated, service_role;
