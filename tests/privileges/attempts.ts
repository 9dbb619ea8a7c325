import type { Sql } from "postgres";

/** The roles that a request can have. */
export const ROLES = ["anon", "authenticated", "service_role"] as const;
export type Role = (typeof ROLES)[number];

/** One statement tried as one role. */
export interface Attempt {
  role: Role;
  statement: string;
}

/** Makes ready to try things on this connection. */
export async function prepareAttempts(sql: Sql): Promise<void> {
  await sql.unsafe(ATTEMPT);
}

/** Runs each statement as its role, in a subtransaction that is rolled back; gives SQLSTATEs, `00000` for success. */
export async function attemptAll(sql: Sql, attempts: Attempt[]): Promise<string[]> {
  const rows = await sql<{ state: string }[]>`
    select pg_temp.attempt(tried.role, tried.statement) as state
    from unnest(${attempts.map(({ role }) => role)}::text[], ${attempts.map(({ statement }) => statement)}::text[])
      with ordinality as tried (role, statement, number)
    order by tried.number`;
  return rows.map(({ state }) => state);
}

const ATTEMPT = `
create function pg_temp.attempt(role text, statement text)
returns text
language plpgsql
as $$
begin
  perform set_config('role', attempt.role, true);
  execute attempt.statement;
  raise sqlstate '00UND';
exception
  when sqlstate '00UND' then return '00000';
  when others then return sqlstate;
end;
$$`;
