import type { Sql } from "postgres";

/** An enum, composite type or domain of public or private. */
export interface DataType {
  /** `public.whatsapp_item_kind` */
  name: string;
  kind: "enum" | "composite" | "domain";
  /** The values of an enum, `name type` of each field, or the base type and checks of a domain. */
  members: string[];
  comment: string;
}

/** Every type of ours; `search_path` must be empty, so that names are whole. */
export async function readDataTypes(sql: Sql): Promise<DataType[]> {
  return await sql<DataType[]>`
    select
      format('%I.%I', n.nspname, t.typname) as name,
      case t.typtype when 'e' then 'enum' when 'd' then 'domain' else 'composite' end as kind,
      case t.typtype
        when 'e' then array(
          select label.enumlabel::text from pg_catalog.pg_enum as label where label.enumtypid = t.oid order by label.enumsortorder
        )
        when 'd' then format_type(t.typbasetype, t.typtypmod) || array(
          select pg_get_constraintdef(o.oid) from pg_catalog.pg_constraint as o where o.contypid = t.oid order by o.conname
        )
        else array(
          select format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)) from pg_catalog.pg_attribute as a
          where a.attrelid = t.typrelid and not a.attisdropped
          order by a.attnum
        )
      end as members,
      coalesce(obj_description(t.oid, 'pg_type'), '') as comment
    from pg_catalog.pg_type as t
    join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
    left join pg_catalog.pg_class as c on c.oid = t.typrelid
    where n.nspname in ('public', 'private') and (t.typtype in ('e', 'd') or c.relkind = 'c')
    order by name`;
}
