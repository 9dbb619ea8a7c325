import type { Sql } from "postgres";

/** A table or view of public or private; leaves are not among them. */
export interface Relation {
  /** `public.profiles` */
  name: string;
  kind: "table" | "view" | "materialized view";
  comment: string;
  isUnlogged: boolean;
  /** Of a table partitioned by month: the key, and how long leaves stay. */
  partition: { key: string; detachAfter: string | null; dropAfter: string | null } | null;
  columns: Column[];
  /** Constraints, then indexes, then triggers, each as Postgres writes it. */
  rules: string[];
  grants: string[];
  policies: string[];
}

/** One column of a relation. */
export interface Column {
  name: string;
  type: string;
  /** `not null`, the default or what it is generated from. */
  nature: string;
  comment: string;
}

/** Every table and view of ours, as the catalog describes it; `search_path` must be empty, so that names are whole. */
export async function readRelations(sql: Sql): Promise<Relation[]> {
  return await sql<Relation[]>`
    select
      format('%I.%I', n.nspname, c.relname) as name,
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
      coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
      c.relpersistence = 'u' as "isUnlogged",
      (
        select jsonb_build_object(
          'key', pg_get_partkeydef(c.oid), 'detachAfter', managed.detach_after::text, 'dropAfter', managed.drop_after::text
        )
        from private.partitioned_tables as managed
        where c.relkind = 'p' and managed.table_name = c.relname
      ) as partition,
      (
        select jsonb_agg(jsonb_build_object(
          'name', a.attname,
          'type', format_type(a.atttypid, a.atttypmod),
          'nature', concat_ws(
            ', ',
            case when a.attnotnull and a.attgenerated = '' then 'not null' end,
            case when a.attidentity <> '' then 'identity' end,
            case a.attgenerated when 's' then 'generated ' else 'default ' end || pg_get_expr(d.adbin, d.adrelid)
          ),
          'comment', coalesce(col_description(c.oid, a.attnum), '')
        ) order by a.attnum)
        from pg_catalog.pg_attribute as a
        left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ) as columns,
      array(
        select format('%s: %s', o.conname, pg_get_constraintdef(o.oid)) from pg_catalog.pg_constraint as o
        where o.conrelid = c.oid and o.contype in ('p', 'u', 'f', 'c', 'x')
        order by array_position('{p,u,f,c,x}', o.contype::text), o.conname
      ) || array(
        select format('%s: %s', index.relname, pg_get_indexdef(index.oid))
        from pg_catalog.pg_index as i
        join pg_catalog.pg_class as index on index.oid = i.indexrelid
        where i.indrelid = c.oid and not exists (select from pg_catalog.pg_constraint as o where o.conindid = i.indexrelid)
        order by 1
      ) || array(
        select format('%s: %s', t.tgname, pg_get_triggerdef(t.oid)) from pg_catalog.pg_trigger as t
        where t.tgrelid = c.oid and not t.tgisinternal
        order by 1
      ) as rules,
      array(
        select format('%s: %s', granted.grantee, string_agg(granted.verb, ', ' order by granted.verb))
        from (
          select acl.grantee::regrole::text as grantee, lower(acl.privilege_type) as verb
          from aclexplode(c.relacl) as acl
          where acl.grantee <> c.relowner
          union all
          select acl.grantee::regrole::text, format('%s (%s)', lower(acl.privilege_type), string_agg(a.attname, ', ' order by a.attname))
          from pg_catalog.pg_attribute as a, aclexplode(a.attacl) as acl
          where a.attrelid = c.oid
          group by acl.grantee, acl.privilege_type
        ) as granted
        group by granted.grantee
        order by granted.grantee
      ) as grants,
      array(
        select format(
          '%s: %s for %s%s%s', p.policyname, array_to_string(p.roles, ', '), lower(p.cmd), ' using ' || p.qual, ' with check ' || p.with_check
        )
        from pg_catalog.pg_policies as p
        where p.schemaname = n.nspname and p.tablename = c.relname
        order by p.cmd, p.policyname
      ) as policies
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm')
    order by array_position('{r,p,v,m}', c.relkind::text) > 2, name`;
}
