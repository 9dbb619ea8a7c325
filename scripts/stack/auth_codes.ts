import type { Sql } from "postgres";

/** What a code proves: that a user has their own phone, or the one they want to change to. */
export type CodePurpose = "sms" | "phone_change";

export interface Code {
  userId: string;
  purpose: CodePurpose;
  phone: string;
}

/** Makes a code of six digits, good for ten minutes and five wrong tries, in place of an earlier one. */
export async function createCode(sql: Sql, { userId, purpose, phone }: Code): Promise<string> {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  const code = String(random! % 1_000_000).padStart(6, "0");
  await sql`
    insert into auth.phone_codes (user_id, purpose, phone, code_hash, expires_at)
    values (${userId}, ${purpose}, ${phone}, ${hashOf(sql, phone, code)}, now() + interval '10 minutes')
    on conflict (user_id, purpose) do update set
      phone = excluded.phone, code_hash = excluded.code_hash, wrong_tries = 0, expires_at = excluded.expires_at`;
  return code;
}

/** Uses a code up, and tells whose it was; a wrong one counts against every code that is open for the phone. */
export async function takeCode(
  sql: Sql,
  { phone, purpose, code }: { phone: string; purpose: CodePurpose; code: string },
): Promise<string | undefined> {
  const open = sql`phone = ${phone} and purpose = ${purpose} and expires_at > now() and wrong_tries < 5`;
  const [row] = await sql<{ user_id: string }[]>`
    with wrong as (
      update auth.phone_codes set wrong_tries = wrong_tries + 1
      where ${open} and code_hash <> ${hashOf(sql, phone, code)}
    )
    delete from auth.phone_codes where ${open} and code_hash = ${hashOf(sql, phone, code)}
    returning user_id`;
  return row?.user_id;
}

function hashOf(sql: Sql, phone: string, code: string) {
  return sql`sha256(convert_to(${phone + code}, 'UTF8'))`;
}
