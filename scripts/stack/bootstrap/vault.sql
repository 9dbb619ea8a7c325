-- Supabase Vault's names over pgcrypto, for databases without the extension. The key never leaves this database,
-- so this protects nothing against its superuser: a development stand-in, not a safe.
create schema vault;
create table vault.local_key (key text not null default encode(extensions.gen_random_bytes(32), 'hex'));
insert into vault.local_key default values;

create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index secrets_name_idx on vault.secrets (name) where name is not null;

create view vault.decrypted_secrets as
select
  id, name, description, secret,
  extensions.pgp_sym_decrypt(decode(secret, 'base64'), (select key from vault.local_key)) as decrypted_secret,
  key_id, nonce, created_at, updated_at
from vault.secrets;

create function vault.create_secret(
  new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
)
returns uuid
language sql
security definer -- callers may not read the key
set search_path = ''
as $$
  insert into vault.secrets (name, description, secret, key_id)
  values (
    new_name, new_description,
    encode(extensions.pgp_sym_encrypt(new_secret, (select key from vault.local_key)), 'base64'), new_key_id
  )
  returning id;
$$;

create function vault.update_secret(
  secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
  new_key_id uuid default null
)
returns void
language sql
security definer -- callers may not read the key
set search_path = ''
as $$
  update vault.secrets set
    name = coalesce(new_name, name),
    description = coalesce(new_description, description),
    secret = coalesce(
      encode(extensions.pgp_sym_encrypt(new_secret, (select key from vault.local_key)), 'base64'), secret
    ),
    key_id = coalesce(new_key_id, key_id),
    updated_at = now()
  where id = secret_id;
$$;

revoke all on all functions in schema vault from public;
grant usage on schema vault to postgres, service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on all functions in schema vault to postgres with grant option;
grant execute on all functions in schema vault to service_role;
