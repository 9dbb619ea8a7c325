import type { Sql } from "postgres";

/** Who may execute every function of public and private. */
export async function functionMatrix(sql: Sql): Promise<string> {
  const rows = await sql<{ line: string }[]>`
    select format('%s.%s: %s', p.pronamespace::regnamespace, p.proname, coalesce(string_agg(role.rolname, ', ' order by role.rolname), 'nobody')) as line
    from pg_proc as p
    left join pg_roles as role
      on role.rolname in ('anon', 'authenticated', 'service_role')
      and has_schema_privilege(role.oid, p.pronamespace, 'usage') and has_function_privilege(role.oid, p.oid, 'execute')
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
    group by p.oid
    order by 1`;
  return lines(rows);
}

/** SECURITY DEFINER functions that clients may execute: each is a door past row level security. */
export async function definerList(sql: Sql): Promise<string> {
  const rows = await sql<{ line: string }[]>`
    select format('%s.%s: %s', p.pronamespace::regnamespace, p.proname, string_agg(role.rolname, ', ' order by role.rolname)) as line
    from pg_proc as p
    join pg_roles as role on role.rolname in ('anon', 'authenticated') and has_function_privilege(role.oid, p.oid, 'execute')
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and p.prosecdef
    group by p.oid
    order by 1`;
  return lines(rows);
}

function lines(rows: { line: string }[]): string {
  return rows.map(({ line }) => `${line}\n`).join("");
}
