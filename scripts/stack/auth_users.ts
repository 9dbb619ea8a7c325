import type { Sql } from "postgres";

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
