import { assertEquals, assertNotEquals } from "@std/assert";
import { BOOT_MODES, createDatabaseOf } from "../support/boot_modes.ts";
import { rolledBack } from "../support/database.ts";
import { GRANTS } from "./database/grants.ts";
import { offendersOf } from "./database/convention.ts";

for (const mode of BOOT_MODES) {
  const database = await createDatabaseOf(mode);

  for (const [name, convention] of Object.entries(GRANTS)) {
    Deno.test(
      `${name} (${mode} defaults)`,
      rolledBack(database, async (sql) => assertEquals(await offendersOf(sql, convention), [])),
    );

    Deno.test(
      `a breach is seen: ${name} (${mode} defaults)`,
      rolledBack(database, async (sql) => {
        await sql.unsafe(convention.breach).simple();

        assertNotEquals(await offendersOf(sql, convention), []);
      }),
    );
  }

  Deno.test(
    `nothing is granted on what a later migration makes (${mode} defaults)`,
    rolledBack(database, async (sql) => {
      for (const schema of ["public", "private", "partitions", "archive"]) {
        await sql.unsafe(`
          create table ${schema}.probe (id integer primary key);
          create sequence ${schema}.probe_number;
          create view ${schema}.probe_view as select 1 as one;
          create function ${schema}.probe() returns integer language sql return 1`).simple();
      }

      const granted = await sql<{ object: string; grantee: string }[]>`
        select relation.oid::regclass::text as object, acl.grantee::regrole::text as grantee
        from pg_class as relation, aclexplode(relation.relacl) as acl
        where relation.relname like 'probe%' and acl.grantee <> relation.relowner
        union all
        select function.oid::regprocedure::text, acl.grantee::regrole::text
        from pg_proc as function, aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as acl
        where function.proname = 'probe' and acl.grantee <> function.proowner`;
      assertEquals([...granted], []);
    }),
  );
}
