import type { Sql } from "postgres";

/** A function of public or private. */
export interface Routine {
  /** `public.get_config` */
  name: string;
  /** Its parameters as declared, defaults included. */
  parameters: string;
  result: string;
  comment: string;
  isTrigger: boolean;
  isSecurityDefiner: boolean;
  timeout: string | null;
  /** Client roles that may execute it. */
  callers: string[];
}

/** Every function of ours; `search_path` must be empty, so that names are whole. */
export async function readRoutines(sql: Sql): Promise<Routine[]> {
  return await sql<Routine[]>`
    select
      format('%I.%I', n.nspname, p.proname) as name,
      pg_get_function_arguments(p.oid) as parameters,
      pg_get_function_result(p.oid) as result,
      coalesce(obj_description(p.oid, 'pg_proc'), '') as comment,
      p.prorettype = 'trigger'::regtype as "isTrigger",
      p.prosecdef as "isSecurityDefiner",
      (
        select substring(setting from 'statement_timeout=(.*)') from unnest(p.proconfig) as setting
        where setting like 'statement_timeout=%'
      ) as timeout,
      array(
        select role.rolname::text from pg_catalog.pg_roles as role
        where role.rolname in ('anon', 'authenticated', 'service_role')
          and has_function_privilege(role.oid, p.oid, 'execute')
        order by 1
      ) as callers
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    where n.nspname in ('public', 'private')
    order by name`;
}
