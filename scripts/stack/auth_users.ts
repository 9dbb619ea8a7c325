import postgres, { type Sql, type TransactionSql } from "postgres";
import { AuthRefusal } from "./auth_refusal.ts";
import { MINIMUM_PASSWORD_LENGTH } from "./lite.ts";

/** A row of `auth.users` as GoTrue shows it; phone numbers have no plus sign there. */
export interface AuthUser {
  id: string;
  aud: string;
  role: string;
  email: string;
  phone: string;
  app_metadata: Record<string, unknown>;
  user_metadata: Record<string, unknown>;
  is_anonymous: boolean;
  phone_confirmed_at?: string;
  banned_until?: string;
}

/** What may be said of a user on creation or change; metadata is merged, and a null in it removes its key. */
export interface UserAttributes {
  id?: string;
  role?: string;
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

/** Finds a user by id or phone. */
export async function findUser(sql: Sql, key: { id: string } | { phone: string }): Promise<AuthUser | undefined> {
  const condition = "id" in key ? sql`u.id = ${key.id}` : sql`u.phone = ${key.phone}`;
  const [row] = await sql<{ shown: AuthUser }[]>`select ${shown(sql)} as shown from auth.users as u where ${condition}`;
  return row?.shown;
}

/** One page of users, newest first, and how many there are. */
export async function listUsers(sql: Sql, page: number, size: number): Promise<{ users: AuthUser[]; total: number }> {
  const rows = await sql<{ shown: AuthUser }[]>`
    select ${shown(sql)} as shown from auth.users as u
    order by u.created_at desc, u.id limit ${size} offset ${(page - 1) * size}`;
  const [{ total } = { total: 0 }] = await sql<{ total: number }[]>`select count(*)::integer as total from auth.users`;
  return { users: rows.map((row) => row.shown), total };
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
      email = coalesce(lower(${given.email ?? null}), email),
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

function shown(sql: Sql) {
  return sql`
    jsonb_build_object(
      'id', u.id,
      'aud', u.aud,
      'role', u.role,
      'email', coalesce(u.email, ''),
      'phone', coalesce(u.phone, ''),
      'app_metadata', coalesce(u.raw_app_meta_data, '{}'),
      'user_metadata', coalesce(u.raw_user_meta_data, '{}'),
      'is_anonymous', u.is_anonymous,
      'created_at', u.created_at,
      'updated_at', u.updated_at,
      'identities', array(
        select jsonb_build_object(
          'identity_id', i.id,
          'id', i.provider_id,
          'user_id', i.user_id,
          'identity_data', i.identity_data,
          'provider', i.provider,
          'last_sign_in_at', i.last_sign_in_at,
          'created_at', i.created_at,
          'updated_at', i.updated_at,
          'email', i.identity_data -> 'email'
        )
        from auth.identities as i where i.user_id = u.id order by i.created_at, i.provider
      )
    ) || jsonb_strip_nulls(jsonb_build_object(
      'email_confirmed_at', u.email_confirmed_at,
      'phone_confirmed_at', u.phone_confirmed_at,
      'confirmed_at', u.confirmed_at,
      'confirmation_sent_at', u.confirmation_sent_at,
      'recovery_sent_at', u.recovery_sent_at,
      'new_email', nullif(u.email_change, ''),
      'email_change_sent_at', u.email_change_sent_at,
      'new_phone', nullif(u.phone_change, ''),
      'phone_change_sent_at', u.phone_change_sent_at,
      'last_sign_in_at', u.last_sign_in_at,
      'banned_until', u.banned_until
    ))`;
}
