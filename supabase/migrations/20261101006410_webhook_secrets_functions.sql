begin;

create function private.make_webhook_secret(endpoint_id uuid)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_secret constant text := 'whsec_' || encode(extensions.gen_random_bytes(32), 'base64');
begin
  insert into private.webhook_secrets (id, endpoint_id)
  values (
    vault.create_secret(v_secret, null, 'Signs webhooks to the endpoint ' || make_webhook_secret.endpoint_id),
    make_webhook_secret.endpoint_id
  );
  return v_secret;
end;
$$;

comment on function private.make_webhook_secret is
  'A new secret of an endpoint, whose newest it is from now on: 32 random bytes (Standard Webhooks asks for 24 to 64). Needs the Vault.';

create function private.forget_webhook_secrets(ids uuid[])
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from private.webhook_secrets as secret where secret.id = any(forget_webhook_secrets.ids);
  delete from vault.secrets as kept where kept.id = any(forget_webhook_secrets.ids);
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function private.forget_webhook_secrets is 'Removes secrets, from the Vault too; says how many.';

create function private.webhook_secrets_of(endpoint_id uuid)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return array(
    select kept.decrypted_secret
    from private.webhook_secrets as secret
    join vault.decrypted_secrets as kept on kept.id = secret.id
    where secret.endpoint_id = webhook_secrets_of.endpoint_id and coalesce(secret.expires_at > now(), true)
    order by secret.created_at desc
  );
end;
$$;

comment on function private.webhook_secrets_of is 'The secrets that sign what is sent to an endpoint now, the newest first: one, or two for a while after a rotation.';

create function private.rotate_webhook_secret(endpoint_id uuid, overlap interval)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_former timestamptz := now() + rotate_webhook_secret.overlap;
begin
  -- Two sign at most: what a former rotation left behind ends now.
  perform private.forget_webhook_secrets(array(
    select secret.id from private.webhook_secrets as secret
    where secret.endpoint_id = rotate_webhook_secret.endpoint_id and secret.expires_at is not null
  ));
  update private.webhook_secrets as secret set expires_at = v_former
  where secret.endpoint_id = rotate_webhook_secret.endpoint_id;
  return private.make_webhook_secret(rotate_webhook_secret.endpoint_id);
end;
$$;

comment on function private.rotate_webhook_secret is 'A new secret for an endpoint that is locked; the one before signs beside it for the overlap.';

create function private.purge_webhook_secrets()
returns integer
language plpgsql
set search_path = ''
as $$
begin
  return private.forget_webhook_secrets(array(
    select secret.id from private.webhook_secrets as secret where secret.expires_at <= now() limit 1000
  ));
end;
$$;

comment on function private.purge_webhook_secrets is 'Removes secrets whose overlap is over; says how many.';

insert into private.schedule (name, cron, command) values
  ('purge-webhook-secrets', '50 * * * *', 'select private.purge_webhook_secrets()');

commit;
