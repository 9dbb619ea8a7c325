import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asUser, createUser } from "./people.ts";

const database = await createTestDatabase();

/** Somebody who has a user and a profile; gives the user id. */
async function createPerson(sql: TransactionSql, name: string): Promise<string> {
  const userId = await createUser(sql);
  await asUser(sql, userId, (sql) => sql`insert into public.profiles (user_id, full_name) values (${userId}, ${name})`);
  return userId;
}

Deno.test(
  "people open a profile of their own, once",
  rolledBack(database, async (sql) => {
    const userId = await createPerson(sql, "Aline");

    const again = (sql: TransactionSql) => sql`insert into public.profiles (user_id) values (${userId})`;
    assertEquals(await sqlStateOf(sql, (sql) => asUser(sql, userId, again)), "23505");
  }),
);

Deno.test(
  "people open no profile for others, nor one for nobody",
  rolledBack(database, async (sql) => {
    const [aline, eric] = [await createUser(sql), await createUser(sql)];

    for (const userId of [eric, null]) {
      const open = (sql: TransactionSql) => sql`insert into public.profiles (user_id) values (${userId})`;
      assertEquals(await sqlStateOf(sql, (sql) => asUser(sql, aline, open)), "42501");
    }
  }),
);

Deno.test(
  "people see their own profile only",
  rolledBack(database, async (sql) => {
    const aline = await createPerson(sql, "Aline");
    await createPerson(sql, "Eric");
    await sql`insert into public.profiles (full_name, phone) values ('not linked', '+250788000009')`;

    const seen = await asUser(sql, aline, (sql) => sql`select full_name from public.profiles`);

    assertEquals([...seen], [{ full_name: "Aline" }]);
  }),
);

Deno.test(
  "people change their name and language, and updated_at follows",
  rolledBack(database, async (sql) => {
    const aline = await createPerson(sql, "Aline");
    await sql`alter table public.profiles disable trigger user`;
    await sql`update public.profiles set updated_at = '2020-01-01'`;
    await sql`alter table public.profiles enable trigger user`;

    await asUser(sql, aline, (sql) => sql`update public.profiles set full_name = 'Aline M.', locale = 'fr'`);

    const [row] =
      await sql`select full_name, locale, updated_at = now() as is_touched from public.profiles where user_id = ${aline}`;
    assertEquals({ ...row }, { full_name: "Aline M.", locale: "fr", is_touched: true });
  }),
);

Deno.test(
  "people change nobody else's profile",
  rolledBack(database, async (sql) => {
    const aline = await createPerson(sql, "Aline");
    await createPerson(sql, "Eric");

    await asUser(sql, aline, (sql) => sql`update public.profiles set full_name = 'taken over'`);

    const rows = await sql`select full_name from public.profiles order by full_name`;
    assertEquals(rows.map((row) => row.full_name), ["Eric", "taken over"]);
  }),
);

for (
  const change of [
    "update public.profiles set phone = '+250788000001'",
    "update public.profiles set phone = null",
    "update public.profiles set id = gen_random_uuid()",
    "update public.profiles set user_id = null",
    "update public.profiles set user_id = gen_random_uuid()",
    "update public.profiles set created_at = now()",
    "update public.profiles set updated_at = now()",
    "delete from public.profiles",
    "insert into public.profiles (user_id, phone) values (auth.uid(), '+250788000001')",
    "insert into public.profiles (user_id, id) values (auth.uid(), gen_random_uuid())",
    "truncate public.profiles",
  ]
) {
  Deno.test(
    `people may not: ${change}`,
    rolledBack(database, async (sql) => {
      const aline = await createPerson(sql, "Aline");

      const state = await sqlStateOf(sql, (sql) => asUser(sql, aline, (sql) => sql.unsafe(change)));

      assertEquals(state, "42501");
    }),
  );
}

Deno.test(
  "a profile has a language that we speak, a phone number in E.164 and a name that fits",
  rolledBack(database, async (sql) => {
    const [aline] = [await createPerson(sql, "Aline")];
    const state = (change: string, role: "user" | "owner") =>
      sqlStateOf(sql, (sql) => role === "user" ? asUser(sql, aline, (sql) => sql.unsafe(change)) : sql.unsafe(change));

    for (const locale of ["en", "fr", "rw", "sw"]) {
      assertEquals(await state(`update public.profiles set locale = '${locale}'`, "user"), "00000");
    }
    for (const locale of ["de", "RW", "rw-RW", ""]) {
      assertEquals(await state(`update public.profiles set locale = '${locale}'`, "user"), "23514", locale);
    }
    for (
      const phone of [
        "0788000001",
        "250788000001",
        "+0788000001",
        "+25078800000x",
        "+250 788 000 001",
        "+2507880000011112",
      ]
    ) {
      assertEquals(await state(`update public.profiles set phone = '${phone}'`, "owner"), "23514", phone);
    }
    assertEquals(await state("update public.profiles set phone = '+250788000001'", "owner"), "00000");
    assertEquals(await state("update public.profiles set full_name = repeat('a', 201)", "user"), "23514");
  }),
);

Deno.test(
  "a phone number belongs to one profile",
  rolledBack(database, async (sql) => {
    const open = (sql: TransactionSql) => sql`insert into public.profiles (phone) values ('+250788000001')`;
    await open(sql);

    assertEquals(await sqlStateOf(sql, open), "23505");
  }),
);

Deno.test(
  "who is not signed in sees and writes nothing",
  rolledBack(database, async (sql) => {
    for (
      const statement of [
        "select from public.profiles",
        "insert into public.profiles default values",
        "update public.profiles set locale = 'en'",
      ]
    ) {
      assertEquals(await sqlStateOf(sql, (sql) => as(sql, "anon", {}, (sql) => sql.unsafe(statement))), "42501");
    }
  }),
);

Deno.test(
  "a token without a subject sees nothing",
  rolledBack(database, async (sql) => {
    await sql`insert into public.profiles (full_name) values ('not linked')`;

    assertEquals((await as(sql, "authenticated", {}, (sql) => sql`select from public.profiles`)).length, 0);
  }),
);

Deno.test(
  "deleting the user keeps the profile, which is nobody's then",
  rolledBack(database, async (sql) => {
    const aline = await createPerson(sql, "Aline");
    await sql`update public.profiles set phone = '+250788000001'`;

    await sql`delete from auth.users where id = ${aline}`;

    const [row] = await sql`select user_id, full_name, phone from public.profiles`;
    assertEquals({ ...row }, { user_id: null, full_name: "Aline", phone: "+250788000001" });
    assertEquals((await asUser(sql, aline, (sql) => sql`select from public.profiles`)).length, 0);
  }),
);
