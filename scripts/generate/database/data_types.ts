import type { Sql } from "postgres";

/** An enum or composite type of public or private. */
export interface DataType {
  /** `public.whatsapp_item_kind` */
  name: string;
  kind: "enum" | "composite";
  /** The values of an enum, or `name type` of each field. */
  members: string[];
  comment: string;
}

/** Every enum and composite type of ours; `search_path` must be empty, so that names are whole. */
export async function readDataTypes(sql: Sql): Promise<DataType[]> {
  return await sql<DataType[]>`
    select
      format('%I.%I', n.nspname, t.typname) as name,
      case t.typtype when 'e' then 'enum' else 'composite' end as kind,
      case t.typtype
        when 'e' then array(
          select label.enumlabel::text from pg_catalog.pg_enum as label where label.enumtypid = t.oid order by label.enumsortorder
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
    where n.nspname in ('public', 'private') and (t.typtype = 'e' or c.relkind = 'c')
    order by name`;
}
