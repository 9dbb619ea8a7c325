import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asUser, createUser } from "./people.ts";

const database = await createTestDatabase();
const TOKEN = { app_metadata: { role: "operator" } };

/** Who asks, and what both checks answer. */
const CALLERS: Record<string, { claims?: object; registered?: boolean; read: string; change: string }> = {
  "a plain user": { read: "PGRST", change: "PGRST" },
  "a user whose own metadata says operator": {
    claims: { user_metadata: { role: "operator" }, role_name: "operator" },
    read: "PGRST",
    change: "PGRST",
  },
  "a user with another role": { claims: { app_metadata: { role: "Operator" } }, read: "PGRST", change: "PGRST" },
  "a user with a list of roles": { claims: { app_metadata: { role: ["operator"] } }, read: "PGRST", change: "PGRST" },
  "an operator by token": { claims: TOKEN, read: "00000", change: "PGRST" },
  "a registered operator": { claims: TOKEN, registered: true, read: "00000", change: "00000" },
  "a registered person whose token says nothing": { registered: true, read: "PGRST", change: "PGRST" },
};

for (const [who, { claims, registered, read, change }] of Object.entries(CALLERS)) {
  Deno.test(
    `operator checks for ${who}: reading ${read}, changing ${change}`,
    rolledBack(database, async (sql) => {
      const userId = await createUser(sql);
      if (registered) await sql`insert into private.operators values (${userId}, 'test')`;
      const ask = (check: string) => (sql: TransactionSql) =>
        asUser(sql, userId, (sql) => sql.unsafe(`select private.${check}()`), { ...claims });

      assertEquals(await sqlStateOf(sql, ask("require_operator")), read);
      assertEquals(await sqlStateOf(sql, ask("require_registered_operator")), change);
    }),
  );
}

Deno.test(
  "operator checks refuse who is nobody, and the secret key, which is no person",
  rolledBack(database, async (sql) => {
    for (const check of ["require_operator", "require_registered_operator"]) {
      const ask = (sql: TransactionSql) => sql.unsafe(`select private.${check}()`);
      assertEquals(await sqlStateOf(sql, (sql) => as(sql, "anon", {}, ask)), "42501", check);
      assertEquals(await sqlStateOf(sql, (sql) => as(sql, "authenticated", {}, ask)), "PGRST", check);
      assertEquals(
        await sqlStateOf(sql, (sql) => as(sql, "authenticated", TOKEN, ask)),
        check === "require_operator" ? "00000" : "PGRST",
      );
      assertEquals(await sqlStateOf(sql, (sql) => as(sql, "service_role", {}, ask)), "PGRST", check);
      assertEquals(await sqlStateOf(sql, ask), "PGRST", check);
    }
  }),
);

Deno.test(
  "one person's registration is not another's",
  rolledBack(database, async (sql) => {
    const [registered, other] = [await createUser(sql), await createUser(sql)];
    await sql`insert into private.operators values (${registered}, 'test')`;

    const ask = (sql: TransactionSql) => sql`select private.require_registered_operator()`;
    assertEquals(await sqlStateOf(sql, (sql) => asUser(sql, other, ask, TOKEN)), "PGRST");
  }),
);

Deno.test(
  "a registration ends with its user",
  rolledBack(database, async (sql) => {
    const userId = await createUser(sql);
    await sql`insert into private.operators values (${userId}, 'test')`;

    await sql`delete from auth.users where id = ${userId}`;

    assertEquals((await sql`select from private.operators`).length, 0);
  }),
);

Deno.test(
  "the list of operators is nobody's to see or change",
  rolledBack(database, async (sql) => {
    const userId = await createUser(sql);
    for (const role of ["anon", "authenticated", "service_role"] as const) {
      for (
        const statement of ["select from private.operators", `insert into private.operators values ('${userId}', 'me')`]
      ) {
        const state = await sqlStateOf(
          sql,
          (sql) => as(sql, role, { sub: userId, ...TOKEN }, (sql) => sql.unsafe(statement)),
        );
        assertEquals(state, "42501", `${role} ${statement}`);
      }
    }
  }),
);
