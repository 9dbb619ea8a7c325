import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, sqlStateOf } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { logEvents, seal, sealAll, sealBlock, sealedEvents, sealedRows, verify } from "./sealing.ts";

/** A database of its own, and the connections of two others who use it at the same time. */
interface Company {
  sql: Sql;
  writer: Sql;
  other: Sql;
}

function sealTest(name: string, body: (company: Company) => Promise<void>): void {
  Deno.test(name, async () => {
    const { sql, url } = await createTestDatabase();
    const [writer, other] = [connect(url), connect(url)];
    try {
      await body({ sql, writer, other });
      assertEquals(await verify(sql), null);
    } finally {
      await Promise.all([sql, writer, other].map((sql) => sql.end()));
    }
  });
}

sealTest("seal_audit_log() seals every row once, in one block per call", async ({ sql }) => {
  const first = await sealedEvents(sql, "trip-1", "trip-2");
  const second = await sealedEvents(sql, "trip-3");

  assertEquals(await sealedRows(sql), [[], first, second]);
});

sealTest("seal_audit_log() makes no block when there is nothing to seal", async ({ sql }) => {
  assertEquals(await seal(sql), 0);

  assertEquals(await sealedRows(sql), [[]]);
});

sealTest(
  "seal_audit_log() takes as many rows as it is told, also from the middle of a transaction",
  async ({ sql }) => {
    const ids = await logEvents(sql, "trip-1", "trip-2", "trip-3", "trip-4", "trip-5");

    await sealAll(sql, 2);

    assertEquals(await sealedRows(sql), [[], ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  },
);

sealTest("seal_audit_log() refuses what is no number of rows", async ({ sql }) => {
  await sql.begin(async (sql) => {
    for (const count of ["0", "100001", "null"]) {
      assertEquals(
        await sqlStateOf(sql, (sql) => sql.unsafe(`select public.seal_audit_log(${count})`)),
        "PGRST",
        count,
      );
    }
  });
});

sealTest(
  "seal_audit_log() waits for a transaction that is open, and with what came after it",
  async ({ sql, writer }) => {
    await writer`begin`;
    const [slow] = await logEvents(writer, "slow");
    const [quick] = await logEvents(sql, "quick");

    assertEquals(await seal(sql), 0);
    await writer`commit`;
    await sealAll(sql);

    assertEquals((await sealedRows(sql)).flat(), [slow, quick]);
  },
);

sealTest("seal_audit_log() passes over what was rolled back", async ({ sql, writer }) => {
  await writer`begin`;
  await logEvents(writer, "never");
  const [quick] = await logEvents(sql, "quick");
  await writer`rollback`;

  await sealAll(sql);

  assertEquals((await sealedRows(sql)).flat(), [quick]);
});

sealTest("seal_audit_log() takes rows of subtransactions with those around them", async ({ sql, writer }) => {
  await writer`begin`;
  const [first] = await logEvents(writer, "first");
  await writer`savepoint undone`;
  await logEvents(writer, "undone");
  await writer`rollback to undone`;
  await writer`savepoint kept`;
  const [second] = await logEvents(writer, "second");
  await writer`commit`;

  await sealAll(sql);

  assertEquals((await sealedRows(sql)).flat(), [first, second]);
});

sealTest("seal_audit_log() does not seal what its own transaction wrote", async ({ sql }) => {
  await sql.begin(async (sql) => {
    await logEvents(sql, "mine");

    assertEquals(await seal(sql), 0);
  });
});

sealTest("of two who seal together the second waits, and seals nothing twice", async ({ sql, writer, other }) => {
  const ids = await logEvents(sql, "trip-1", "trip-2", "trip-3");
  await writer`begin`;
  await sealBlock(writer, 1);

  const second = seal(sql, 1);
  await untilSomebodyWaits(other);
  await writer`commit`;
  await second;
  await sealAll(sql);

  assertEquals((await sealedRows(sql)).flat(), ids);
});

sealTest("seal_audit_log() that is rolled back leaves the rows to the next", async ({ sql, writer }) => {
  const ids = await logEvents(sql, "trip-1");
  await writer`begin`;
  await sealBlock(writer);
  await writer`rollback`;

  await sealAll(sql);

  assertEquals(await sealedRows(sql), [[], ids]);
});

sealTest("seal_audit_log() finds the rows of a transaction that ran for hours", async ({ sql, writer }) => {
  // As if the chain had begun five hours ago, and an hour later a transaction that has been open since.
  await sql.unsafe(`
    alter table public.audit_seals disable trigger user;
    delete from public.audit_seals;
    update private.audit_chain set block_number = 0, hash = '' where is_only;
    select private.append_audit_seal(jsonb_populate_record(
      private.next_audit_seal(private.cluster_id()), jsonb_build_object('sealed_at', now() - interval '5 hours')
    ));
    alter table public.audit_seals enable trigger user`).simple();
  const [quick] = await logEvents(sql, "quick");
  await writer`begin`;
  const [slow] = await writer<{ id: string }[]>`
    insert into public.system_audit_logs (id, actor_type, actor_identifier, action, resource_type)
    values (private.uuid_v7(now() - interval '4 hours'), 'service', 'import', 'assign', 'trip') returning id`;
  await sealBlock(sql);
  await writer`commit`;
  await sealAll(sql);

  assertEquals(await sealedRows(sql), [[], [quick], [slow!.id]]);
});
