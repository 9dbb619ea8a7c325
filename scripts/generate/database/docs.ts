import type { Target } from "../../stack/database.ts";
import { withConnection } from "../../stack/database.ts";
import { readDataTypes } from "./data_types.ts";
import { readDomains } from "./domains.ts";
import { databasePage } from "./page.ts";
import { readRelations } from "./relations.ts";
import { readRoutines } from "./routines.ts";

/** docs/database.md: what the catalog of a migrated database says. */
export async function databaseDocs({ url }: Pick<Target, "url">): Promise<string> {
  return await withConnection(url, async (sql) => {
    await sql`set search_path = ''`;
    const schemas = await sql<{ name: string; comment: string }[]>`
      select n.nspname as name, obj_description(n.oid, 'pg_namespace') as comment from pg_catalog.pg_namespace as n
      where n.nspname in ('private', 'partitions', 'archive')
      order by array_position('{private,partitions,archive}', n.nspname::text)`;
    return databasePage({
      schemas,
      domains: await readDomains(sql),
      relations: await readRelations(sql),
      routines: await readRoutines(sql),
      dataTypes: await readDataTypes(sql),
    });
  });
}
