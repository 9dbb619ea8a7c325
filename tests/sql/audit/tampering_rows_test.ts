import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { logEvents, verify } from "./sealing.ts";
import { createSealedLog, forge, found, LOG, tamper } from "./tampering.ts";

const { ids, leaf, tamperTest, attempt } = await createSealedLog();
/** The middle row of block 3. */
const ROW = ids[4]!;

tamperTest("finds nothing where nobody was", async (sql) => {
  assertEquals(await verify(sql), null);
});

tamperTest("takes what is not sealed yet for no finding", async (sql) => {
  await logEvents(sql, "trip-10");

  assertEquals(await verify(sql), null);
});

const ALTERATIONS: Record<string, string[]> = {
  actor_type: ["'user'"],
  actor_identifier: ["'dispatch '", "upper(actor_identifier)"],
  action: ["'unassign'"],
  resource_type: ["'trips'"],
  resource_id: ["'trip-50'", "''", "null"],
  old_data: ["'{}'", "'null'"],
  new_data: ["'{}'", "'null'"],
  metadata: ["'{}'", `'{"fare": 7000}'`, `'{"fare": 700.0}'`, `'{"fare": "700"}'`],
  correlation_id: ["'work-1'", "''"],
  cluster_id: ["cluster_id + 1"],
  transaction_id: ["'18446744073709551615'", `(select max(transaction_id) from ${LOG})`],
};

for (const [column, values] of Object.entries(ALTERATIONS)) {
  for (const value of values) {
    tamperTest(`names a row whose ${column} became ${value}`, async (sql) => {
      await tamper(sql, LOG, `update ${LOG} set ${column} = ${value} where id = '${ROW}'`);

      assertEquals(await verify(sql), found(3, "altered", ROW));
    });
  }
}

tamperTest("is tried with every column of the log", async (sql) => {
  const columns = await sql<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = ${LOG}::regclass and attnum > 0 and not attisdropped order by attname`;

  // The time follows from the id, which has a test of its own.
  assertEquals(columns.map(({ name }) => name), [...Object.keys(ALTERATIONS), "created_at", "id"].sort());
});

tamperTest("names a row that got another id", async (sql) => {
  await tamper(sql, LOG, `update ${LOG} set id = private.uuid_v7() where id = '${ROW}'`);

  assertEquals(await verify(sql), found(3, "missing", ROW));
});

tamperTest("names a row that was moved to an earlier block, there", async (sql) => {
  await tamper(
    sql,
    LOG,
    `update ${LOG} set transaction_id = (select transaction_id from ${LOG} where id = '${ids[0]}') where id = '${ROW}'`,
  );

  assertEquals(await verify(sql), found(2, "inserted", ROW));
});

tamperTest("names a row that was altered straight in its leaf", async (sql) => {
  await tamper(sql, leaf, `update ${leaf} set action = 'unassign' where id = '${ROW}'`);

  assertEquals(await verify(sql), found(3, "altered", ROW));
});

tamperTest("names a row that is missing", async (sql) => {
  await tamper(sql, LOG, `delete from ${LOG} where id = '${ids[8]}'`);

  assertEquals(await verify(sql), found(4, "missing", ids[8]));
});

tamperTest("names the first row of a leaf that is gone", async (sql) => {
  await sql.unsafe(`drop table ${leaf}`);

  assertEquals(await verify(sql), found(2, "missing", ids[0]));
});

tamperTest("names a row that was inserted where all was sealed", async (sql) => {
  const forged = await forge(sql, ROW);

  assertEquals(await verify(sql), found(3, "inserted", forged));
});

tamperTest("names a row that was inserted straight into a leaf", async (sql) => {
  const forged = await forge(sql, ROW, { table: leaf });

  assertEquals(await verify(sql), found(3, "inserted", forged));
});

for (const at of ["'2001-01-01Z'", "'2035-01-01Z'"]) {
  tamperTest(`names an inserted row whose id claims to be of ${at}`, async (sql) => {
    const forged = await forge(sql, ROW, { at });

    assertEquals(await verify(sql), found(3, "inserted", forged));
  });
}

for (const cluster of ["1", "-9223372036854775808", "cluster_id + 1", "9223372036854775807"]) {
  tamperTest(`names an inserted row of a cluster that never was: ${cluster}`, async (sql) => {
    const forged = await forge(sql, ROW, { cluster });

    assertEquals(await verify(sql), found(null, "inserted", forged));
  });
}

type Attack = { kind: "altered" | "missing"; row: number } | { kind: "inserted"; row: number };

Deno.test("verify_audit_log() names the first of whatever was done to rows", async () => {
  const attacks = fc.uniqueArray(
    fc.record({ kind: fc.constantFrom("altered", "missing", "inserted"), row: fc.nat(8) }),
    { maxLength: 5, selector: ({ row }) => row },
  );

  await fc.assert(
    fc.asyncProperty(attacks as fc.Arbitrary<Attack[]>, (attacks) =>
      attempt(async (sql) => {
        const findings = [];
        for (const attack of attacks) findings.push(await carryOut(sql, attack));

        assertEquals(await verify(sql), findings.sort(byPlace)[0]?.finding ?? null);
      })),
    { numRuns: 60 },
  );
});

/** Does it, and tells what is to be found where: inserted rows come after those of their block. */
async function carryOut(sql: TransactionSql, { kind, row }: Attack) {
  const [id, block] = [ids[row]!, 2 + Math.floor(row / 3)];
  if (kind === "inserted") return { place: block * 10 + 9, finding: found(block, kind, await forge(sql, id)) };
  const change = kind === "missing" ? `delete from ${LOG}` : `update ${LOG} set action = 'unassign'`;
  await tamper(sql, LOG, `${change} where id = '${id}'`);
  return { place: block * 10 + row % 3, finding: found(block, kind, id) };
}

function byPlace(a: { place: number }, b: { place: number }): number {
  return a.place - b.place;
}
