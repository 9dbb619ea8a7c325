import { assertEquals, assertRejects } from "@std/assert";
import { toFileUrl } from "@std/path";
import type { Sql } from "postgres";
import { migrate } from "../../scripts/stack/migrate.ts";
import { connect } from "../../scripts/stack/connection.ts";
import { StackError } from "../../scripts/stack/stack_error.ts";
import { runFile } from "../../scripts/stack/sql_file.ts";
import { createTestDatabase } from "../support/database.ts";

/** A database in which nothing is recorded, and a folder of migrations. */
interface Migrations {
  sql: Sql;
  /** Writes files; null deletes one. */
  write(files: Record<string, string | null>): Promise<void>;
  /** @returns the files applied */
  migrate(): Promise<string[]>;
  /** The one line that migrating fails with. */
  failure(): Promise<string>;
  url(file: string): URL;
  databaseUrl: string;
}

function migrationTest(name: string, body: (migrations: Migrations) => Promise<void>): void {
  Deno.test(name, async () => {
    const { sql, url: databaseUrl } = await createTestDatabase();
    await sql`drop schema supabase_migrations cascade`;
    const folder = await Deno.makeTempDir();
    const url = (file: string) => new URL(file, toFileUrl(`${folder}/`));
    try {
      await body({
        sql,
        url,
        databaseUrl,
        migrate: () => migrate(sql, url("")),
        failure: async () => (await assertRejects(() => migrate(sql, url("")), StackError)).message,
        async write(files) {
          for (const [file, text] of Object.entries(files)) {
            await (text === null ? Deno.remove(url(file)) : Deno.writeTextFile(url(file), text));
          }
        },
      });
    } finally {
      await sql.end();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const FIRST = "20270101000000_first.sql";
const SECOND = "20270102000000_second.sql";

async function exists(sql: Sql, relation: string): Promise<boolean> {
  const [row] = await sql`select to_regclass(${relation}) is not null as exists`;
  return row!.exists;
}

async function recorded(sql: Sql): Promise<Record<string, unknown>[]> {
  return [
    ...await sql`
    select version, name, statements from supabase_migrations.schema_migrations order by version`,
  ];
}

migrationTest("migrate() applies files in order and records them as the CLI does", async ({ sql, write, migrate }) => {
  await write({
    [SECOND]: "begin;\n-- Why.\nalter table public.t add b integer;\n\ncommit;\n",
    [FIRST]: "create table public.t (a integer); insert into public.t values (1);",
  });

  assertEquals(await migrate(), [FIRST, SECOND]);

  assertEquals(await recorded(sql), [
    {
      version: "20270101000000",
      name: "first",
      statements: ["create table public.t (a integer)", "insert into public.t values (1)"],
    },
    {
      version: "20270102000000",
      name: "second",
      statements: ["begin", "-- Why.\nalter table public.t add b integer", "commit"],
    },
  ]);
});

migrationTest("migrate() finds nothing to do twice, and only what is new later", async ({ write, migrate }) => {
  await write({ [FIRST]: "begin;\ncreate table public.t (a integer) -- a comment\n;\ncommit;\n-- the end\n" });
  await migrate();

  assertEquals(await migrate(), []);
  await write({ [SECOND]: "drop table public.t;" });
  assertEquals(await migrate(), [SECOND]);
});

migrationTest("migrate() does not mind a changed comment or layout", async ({ write, migrate }) => {
  await write({ [FIRST]: "create table public.t (a integer);" });
  await migrate();
  await write({ [FIRST]: "-- One column.\ncreate table public.t (\n  a integer\n);\n" });

  assertEquals(await migrate(), []);
});

migrationTest("migrate() names a changed file and the way out", async ({ write, migrate, failure }) => {
  await write({ [FIRST]: "create table public.t (a integer);", [SECOND]: "create table public.u (a integer);" });
  await migrate();
  await write({ [SECOND]: "create table public.u (a bigint);" });

  assertEquals(
    await failure(),
    `${SECOND} has changed since it was applied here: run \`deno task reset\` to rebuild the local database`,
  );
});

migrationTest("migrate() names an applied migration whose file is gone", async ({ write, migrate, failure }) => {
  await write({ [FIRST]: "create table public.t (a integer);", [SECOND]: "create table public.u (a integer);" });
  await migrate();
  await write({ [FIRST]: null });

  assertEquals(
    await failure(),
    "migration 20270101000000 was applied here and its file is gone: run `deno task reset` to rebuild the local database",
  );
});

migrationTest("migrate() refuses two files of one version", async ({ sql, write, failure }) => {
  await write({ [FIRST]: "create table public.t ();", "20270101000000_other.sql": "create table public.u ();" });

  assertEquals(await failure(), "20270101000000_other.sql has the version of another migration");
  assertEquals(await exists(sql, "public.t"), false);
});

migrationTest("migrate() passes over files that are no migrations", async ({ write, migrate }) => {
  await write({ "README.md": "no SQL", "notes.sql": "no SQL", "2027_short.sql": "no SQL", [`${FIRST}.swp`]: "no SQL" });

  assertEquals(await migrate(), []);
});

migrationTest("migrate() records a file without statements", async ({ sql, write, migrate }) => {
  await write({ [FIRST]: "-- Nothing yet.\n", [SECOND]: "" });

  assertEquals(await migrate(), [FIRST, SECOND]);
  assertEquals(await migrate(), []);
  assertEquals((await recorded(sql)).map((row) => row.statements), [[], []]);
});

for (
  const [how, [begin, commit]] of Object.entries({
    "with begin and commit": ["begin;", "commit;"],
    "without": ["", ""],
  })
) {
  migrationTest(`a file ${how} that fails leaves nothing`, async ({ sql, write, migrate, failure }) => {
    await write({
      [FIRST]: "create table public.t (a integer);",
      [SECOND]:
        `${begin}\ncreate table public.u (a integer);\ninsert into public.t values (1);\ninsert into public.t values (1 / 0);\n${commit}\n`,
    });

    assertEquals(await failure(), `${SECOND}:4: division by zero in: insert into public.t values (1 / 0)`);

    assertEquals([await exists(sql, "public.t"), await exists(sql, "public.u")], [true, false]);
    assertEquals((await sql`select from public.t`).length, 0);
    assertEquals((await recorded(sql)).length, 1);
    await write({ [SECOND]: "create table public.u (a integer);" });
    assertEquals(await migrate(), [SECOND]);
  });

  migrationTest(`a file ${how} and its record become visible in the same moment`, async ({ sql, write, migrate }) => {
    await write({ [FIRST]: `${begin}\ncreate table public.t ();\n${commit}` });
    await migrate();

    const [row] = await sql`
      select (select xmin from pg_class where oid = 'public.t'::regclass)
        = (select xmin from supabase_migrations.schema_migrations) as is_one_transaction`;
    assertEquals(row!.is_one_transaction, true);
  });
}

migrationTest("what is checked at the end of a file fails as its commit", async ({ sql, write, failure }) => {
  await write({
    [FIRST]:
      `create table public.t (a integer primary key, b integer references public.t deferrable initially deferred);
insert into public.t values (1, 2);

`,
  });

  assertEquals((await failure()).split(": ", 1), [`${FIRST}:2`]);
  assertEquals([await exists(sql, "public.t"), (await recorded(sql)).length], [false, 0]);
});

for (
  const [what, text, failure] of [
    [
      "in the middle of a statement",
      "create table public.t (\n  a integer,\n  b no_such_type\n);",
      ':3: type "no_such_type" does not exist in: create table public.t ( a integer, b no_such_type )',
    ],
    [
      "without a position, below its comments",
      "\n\n-- Why; and how.\n/* More; of\n it. */ drop table no_such_table;",
      ':5: table "no_such_table" does not exist in: drop table no_such_table',
    ],
    [
      "behind non-ASCII text",
      "select 'Ségou 😀😀😀😀';\n-- Kigali 🚗\nselect '🚗🚗🚗🚗🚗🚗',\n  '🚗',\n\n\n  no_such_column;",
      ":7: column \"no_such_column\" does not exist in: select '🚗🚗🚗🚗🚗🚗', '🚗', no_such_column",
    ],
    [
      "inside a function",
      "create function public.f() returns integer language sql as $$\n  select 1;\n  select no_such_column;\n$$;",
      ':3: column "no_such_column" does not exist in: create function public.f() returns integer language sql as $$ select 1; select no'
        .slice(0, -1) + "...",
    ],
    [
      "with a message of several lines",
      "do $$ begin raise e'first\\n  second'; end $$;",
      ":1: first second in: do $$ begin raise e'first\\n second'; end $$",
    ],
    ["in syntax", "create table public.t ();\n\ncreate tabel public.u ();", ':3: syntax error at or near "tabel"'],
    ["in syntax behind non-ASCII text", "-- Ségou 😀\nselect 'é';\nselct 1;", ':3: syntax error at or near "selct"'],
    ["in an unfinished string", "select 1;\nselect 'open;\n", ':2: unterminated quoted string at or near "\'open; "'],
  ] as const
) {
  migrationTest(`an error ${what} is said in one line, with file and line`, async ({ write, failure: said }) => {
    await write({ [FIRST]: text });

    const line = await said();

    assertEquals(line, FIRST + failure);
  });
}

migrationTest("statements end where Postgres says that they end", async ({ sql, write, migrate }) => {
  const statements = [
    "create table public.t (a text default 'x;y -- z', b text default E'it''s \\';')",
    "create function public.f() returns text language plpgsql as $body$ begin return $$;$$; /* ; */ end; -- ;\n$body$",
    "create function public.g() returns text language sql\nbegin atomic\n  select 'a;b';\n  select 'c';\nend",
    'create table public."semi;colon" ("a--b" integer)',
    "/* outer /* inner; */ still; */\ninsert into public.t default values",
    "do $$ begin perform 1; end; $$",
  ];
  await write({ [FIRST]: `${statements.join(";\n")}` });

  await migrate();

  assertEquals((await recorded(sql))[0]!.statements, statements);
  assertEquals([...await sql`select a, b, public.f(), public.g() from public.t`], [{
    a: "x;y -- z",
    b: "it's ';",
    f: ";",
    g: "c",
  }]);
});

migrationTest("a file whose connection ends halfway down leaves nothing", async ({ sql, write, url, databaseUrl }) => {
  const other = connect(databaseUrl);
  await write({ [FIRST]: "create table public.t ();\nselect pg_terminate_backend(pg_backend_pid());" });
  await assertRejects(() => migrate(other, url("")));
  await other.end();

  assertEquals(await exists(sql, "public.t"), false);
  assertEquals((await recorded(sql)).length, 0);
});

migrationTest("runFile() runs a file whole or not at all", async ({ sql, write, url }) => {
  await write({ "seed.sql": "create table public.t ();\ncreate table public.t ();" });
  const { message } = await assertRejects(() => runFile(sql, url("seed.sql")), StackError);
  assertEquals(message, 'seed.sql:2: relation "t" already exists in: create table public.t ()');
  assertEquals(await exists(sql, "public.t"), false);

  await write({ "seed.sql": "create table public.t ();\ncreate table public.u ();" });
  await runFile(sql, url("seed.sql"));
  assertEquals(await exists(sql, "public.u"), true);
});
