import { type Convention, OURS } from "./convention.ts";

const CLIENTS = `('anon', 'authenticated', 'service_role')`;

/** Who may do what, as far as it is the same for every object; the rest stands in tests/privileges. */
export const GRANTS: Record<string, Convention> = {
  "no function is executable by everybody": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
      where p.pronamespace in ${OURS} and acl.grantee = 0`,
    breach: `grant execute on function private.uuid_v7 to public`,
  },
  "every function of public is granted to somebody by name": {
    offenders: `
      select p.oid::regprocedure from pg_proc as p
      where p.pronamespace = 'public'::regnamespace
        and not exists (select from aclexplode(p.proacl) as acl where acl.grantee::regrole::text in ${CLIENTS})`,
    breach: `create function public.probe() returns integer language sql as 'select 1'`,
  },
  "nobody may pass a right on": {
    offenders: `
      select format('%s %s to %s', c.oid::regclass, acl.privilege_type, acl.grantee::regrole) from pg_class as c
      cross join lateral aclexplode(c.relacl) as acl
      where c.relnamespace in ${OURS} and acl.is_grantable
      union all
      select format('%s to %s', p.oid::regprocedure, acl.grantee::regrole) from pg_proc as p
      cross join lateral aclexplode(p.proacl) as acl
      where p.pronamespace in ${OURS} and acl.is_grantable`,
    breach: `grant select on public.profiles to service_role with grant option`,
  },
  "client roles make nothing in our schemas": {
    offenders: `
      select format('%s in %s', role.rolname, n.nspname) from pg_namespace as n
      join pg_roles as role on role.rolname in ${CLIENTS}
      where n.oid in ${OURS} and has_schema_privilege(role.oid, n.oid, 'create')`,
    breach: `grant create on schema private to service_role`,
  },
  "client roles reach no sequence": {
    offenders: `
      select format('%s on %s', role.rolname, c.oid::regclass) from pg_class as c
      join pg_roles as role on role.rolname in ${CLIENTS}
      where c.relnamespace in ${OURS} and c.relkind = 'S' and has_sequence_privilege(role.oid, c.oid, 'usage, select, update')`,
    breach: `create sequence public.probe; grant usage on sequence public.probe to authenticated`,
  },
  "leaves and archived leaves are out of reach": {
    offenders: `
      select format('%s in %s', role.rolname, n.nspname) from pg_namespace as n
      join pg_roles as role on role.rolname in ${CLIENTS}
      where n.nspname in ('partitions', 'archive') and has_schema_privilege(role.oid, n.oid, 'usage')
      union all
      select c.oid::regclass::text from pg_class as c
      where c.relnamespace in ('partitions'::regnamespace, 'archive'::regnamespace) and c.relkind in ('r', 'p')
        and exists (select from aclexplode(c.relacl) as acl where acl.grantee <> c.relowner)`,
    breach: `grant usage on schema partitions to service_role`,
  },
};
