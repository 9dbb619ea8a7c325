import { type Convention, OURS } from "./convention.ts";

/** Signatures, settings and comments of our functions. */
export const FUNCTIONS: Record<string, Convention> = {
  "every function pins its search_path": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace in ${OURS} and not coalesce(p.proconfig, '{}') @> array['search_path=""']`,
    breach: `create function private.probe() returns integer language sql as 'select 1'`,
  },
  "no function of public is SECURITY DEFINER": {
    offenders:
      `select p.oid::regprocedure from pg_proc as p where p.pronamespace = 'public'::regnamespace and p.prosecdef`,
    breach: `create function public.probe() returns integer language sql security definer as 'select 1'`,
  },
  "no two functions share a name": {
    offenders: `
      select format('%s.%s', p.pronamespace::regnamespace, p.proname) from pg_proc as p where p.pronamespace in ${OURS}
      group by p.pronamespace, p.proname having count(*) > 1`,
    breach: `create function private.uuid_v7(integer) returns uuid language sql as 'select null::uuid'`,
  },
  "every function of public sets a statement_timeout": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace = 'public'::regnamespace
        and not exists (select from unnest(p.proconfig) as setting where setting like 'statement_timeout=%')`,
    breach: `create function public.probe() returns integer language sql set search_path = '' as 'select 1'`,
  },
  "every function has a comment": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace in ${OURS} and obj_description(p.oid, 'pg_proc') is null`,
    breach: `create function private.probe() returns integer language sql as 'select 1'`,
  },
};
