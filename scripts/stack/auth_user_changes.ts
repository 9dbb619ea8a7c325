import postgres, { type Sql, type TransactionSql } from "postgres";
import { AuthRefusal } from "./auth_refusal.ts";
import { type AuthUser, findUser } from "./auth_users.ts";
import { MINIMUM_PASSWORD_LENGTH } from "./lite.ts";

/** What may be said of a user on creation or change; metadata is merged, and a null in it removes its key. */
export interface UserAttributes {
  id?: string;
  role?: string;
  /** In lower case. */
  email?: string;
  phone?: string;
  password?: string;
  email_confirm?: boolean;
  phone_confirm?: boolean;
  app_metadata?: postgres.JSONValue;
  user_metadata?: postgres.JSONValue;
  /** An interval, or `none`. */
  ban_duration?: string;
}

/** Makes a user, unconfirmed unless said otherwise. Refuses: weak_password, email_exists, phone_exists. */
export async function createUser(sql: Sql, attributes: UserAttributes): Promise<AuthUser> {
  const id = attributes.id ?? crypto.randomUUID();
  await inTransaction(sql, async (tx) => {
    await tx`insert into auth.users (id) values (${id})`;
    await applyAttributes(tx, id, attributes);
  });
  return await findUser(sql, { id }) as AuthUser;
}

/** Changes what is given and leaves the rest. Refuses: weak_password, email_exists, phone_exists. */
export async function updateUser(sql: Sql, id: string, attributes: UserAttributes): Promise<AuthUser> {
  await inTransaction(sql, (tx) => applyAttributes(tx, id, attributes));
  return await findUser(sql, { id }) as AuthUser;
}

async function applyAttributes(tx: TransactionSql, id: string, given: UserAttributes): Promise<void> {
  if (given.password !== undefined) requireStrongPassword(given.password);
  await tx`
    update auth.users set
      role = coalesce(${given.role ?? null}, role),
      email = coalesce(${given.email ?? null}, email),
      phone = coalesce(${given.phone ?? null}, phone),
      phone_change = case when ${given.phone ?? null}::text = phone_change then null else phone_change end,
      encrypted_password =
        coalesce(extensions.crypt(${given.password ?? null}, extensions.gen_salt('bf', 10)), encrypted_password),
      email_confirmed_at = case when ${given.email_confirm ?? false} then now() else email_confirmed_at end,
      phone_confirmed_at = case when ${given.phone_confirm ?? false} then now() else phone_confirmed_at end,
      banned_until = case ${given.ban_duration ?? null}::text
        when 'none' then null else coalesce(now() + ${intervalOf(given)}::interval, banned_until) end,
      updated_at = now()
    where id = ${id}`;
  for (const provider of ["email", "phone"] as const) await saveIdentity(tx, id, provider, given);
  await mergeMetadata(tx, id, given);
  if (given.password !== undefined) await tx`delete from auth.sessions where user_id = ${id}`;
  if (given.phone) await tx`delete from auth.phone_codes where user_id = ${id} and phone <> ${given.phone}`;
}

async function saveIdentity(tx: TransactionSql, id: string, provider: "email" | "phone", given: UserAttributes) {
  const address = given[provider];
  if (!address) return;
  const data = { sub: id, [provider]: address, [`${provider}_verified`]: given[`${provider}_confirm`] ?? false };
  await tx`
    insert into auth.identities (id, provider, provider_id, user_id, identity_data)
    values (gen_random_uuid(), ${provider}, ${id}, ${id}, ${tx.json(data)})
    on conflict (provider, provider_id) do update set
      identity_data = identities.identity_data || excluded.identity_data, updated_at = now()`;
}

async function mergeMetadata(tx: TransactionSql, id: string, given: UserAttributes): Promise<void> {
  const app = tx.json(given.app_metadata ?? {});
  const user = tx.json(given.user_metadata ?? {});
  await tx`
    update auth.users as u set
      raw_app_meta_data = (coalesce(raw_app_meta_data, '{}') || providers.listed || ${app}) -
        array(select key from jsonb_each(${app}) where value = 'null'),
      raw_user_meta_data = (coalesce(raw_user_meta_data, '{}') || ${user}) -
        array(select key from jsonb_each(${user}) where value = 'null')
    from (
      select jsonb_strip_nulls(jsonb_build_object(
        'provider', (array_agg(provider order by created_at, provider))[1],
        'providers', jsonb_agg(provider order by created_at, provider)
      )) as listed
      from auth.identities where user_id = ${id}
    ) as providers
    where u.id = ${id}`;
}

function intervalOf({ ban_duration }: UserAttributes): string | null {
  return ban_duration === undefined || ban_duration === "none" ? null : ban_duration;
}

function requireStrongPassword(password: string): void {
  if (password.length < MINIMUM_PASSWORD_LENGTH) {
    const message = `Password should be at least ${MINIMUM_PASSWORD_LENGTH} characters.`;
    throw new AuthRefusal(422, "weak_password", message, { weak_password: { reasons: ["length"] } });
  }
  // bcrypt reads no further, and would accept any ending.
  if (new TextEncoder().encode(password).length > 72) {
    throw new AuthRefusal(400, "validation_failed", "Password cannot be longer than 72 characters");
  }
}

const TAKEN: Record<string, [code: string, message: string]> = {
  users_email_partial_key: ["email_exists", "A user with this email address has already been registered"],
  users_phone_key: ["phone_exists", "A user with this phone number has already been registered"],
};

async function inTransaction(sql: Sql, work: (tx: TransactionSql) => Promise<void>): Promise<void> {
  await sql.begin(work).catch((error) => {
    const taken = error instanceof postgres.PostgresError && TAKEN[error.constraint_name ?? ""];
    throw taken ? new AuthRefusal(422, ...taken) : error;
  });
}
