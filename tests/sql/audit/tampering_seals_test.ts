import { assertEquals } from "@std/assert";
import { sqlStateOf } from "../../support/database.ts";
import { seal, verify } from "./sealing.ts";
import { createSealedLog, found, LOG, SEALS, tamper } from "./tampering.ts";

const { ids, tamperTest } = await createSealedLog();
const LAST_BLOCK = 4;

const ALTERATIONS: Record<string, string> = {
  cluster_id: "cluster_id + 1",
  from_transaction_id: "'1'",
  from_id: "gen_random_uuid()",
  to_transaction_id: "'18446744073709551615'",
  to_id: "gen_random_uuid()",
  sealing_transaction_id: "'1'",
  anchor_block_number: "9",
  sealed_at: "sealed_at + interval '1 microsecond'",
  row_count: "0, row_ids = '{}', row_hashes = '{}'",
  row_ids: "array[row_ids[2], row_ids[1], row_ids[3]]",
  row_hashes: "array_fill(sha256(''), '{3}')",
  previous_hash: "sha256('')",
  hash: "sha256('')",
};

for (const [column, value] of Object.entries(ALTERATIONS)) {
  for (const block of [2, 3, LAST_BLOCK]) {
    tamperTest(`tells that the ${column} of block ${block} was altered`, async (sql) => {
      await tamper(sql, SEALS, `update ${SEALS} set ${column} = ${value} where block_number = ${block}`);

      assertEquals(await verify(sql), found(block, "seal_altered"));
    });
  }
}

tamperTest("is tried with every column of the seals", async (sql) => {
  const columns = await sql<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = ${SEALS}::regclass and attnum > 0 and not attisdropped order by attname`;

  assertEquals(columns.map(({ name }) => name), [...Object.keys(ALTERATIONS), "block_number"].sort());
});

/** Alters the middle row of a block and what the block says of it; then, if asked, the block's own hash. */
function rewriting(block: number, hash = ""): string {
  const id = ids[block * 3 - 5];
  return `update ${LOG} set action = 'unassign' where id = '${id}';
    update ${SEALS} set row_hashes[2] = (select hash from private.audit_row_hashes where id = '${id}') where block_number = ${block};
    ${hash}`;
}

function rehashing(block: number): string {
  return `update ${SEALS} as seal set hash = private.audit_seal_hash(seal) where block_number = ${block};`;
}

tamperTest("tells that a row was altered along with its hash", async (sql) => {
  await tamper(sql, LOG, `alter table ${SEALS} disable trigger user; ${rewriting(3)}`);

  assertEquals(await verify(sql), found(3, "seal_altered"));
});

tamperTest("tells by the next block that a block was computed anew", async (sql) => {
  await tamper(sql, LOG, `alter table ${SEALS} disable trigger user; ${rewriting(3, rehashing(3))}`);

  assertEquals(await verify(sql), found(4, "seal_altered"));
});

tamperTest("tells by the chain's end that the last block was computed anew", async (sql) => {
  await tamper(sql, LOG, `alter table ${SEALS} disable trigger user; ${rewriting(4, rehashing(4))}`);

  assertEquals(await verify(sql), found(4, "seal_altered"));
});

tamperTest("says that the last block is missing, also after sealing went on", async (sql) => {
  await tamper(sql, SEALS, `delete from ${SEALS} where block_number = ${LAST_BLOCK}`);
  assertEquals(await verify(sql), found(LAST_BLOCK, "missing"));

  assertEquals(await seal(sql), 3);
  assertEquals(await verify(sql), found(LAST_BLOCK, "missing"));
  assertEquals(await verify(sql, LAST_BLOCK + 1), null);
});

for (const [which, block] of [["a middle", 3], ["the first", 1]] as const) {
  tamperTest(`says that ${which} block is missing`, async (sql) => {
    await tamper(sql, SEALS, `delete from ${SEALS} where block_number = ${block}`);

    assertEquals(await verify(sql), found(block, "missing"));
  });
}

tamperTest("says that all blocks are missing", async (sql) => {
  await tamper(sql, SEALS, `delete from ${SEALS}`);

  assertEquals(await verify(sql), found(1, "missing"));
});

tamperTest("tells that a block was put behind the last one", async (sql) => {
  await tamper(
    sql,
    SEALS,
    `insert into ${SEALS} select (jsonb_populate_record(seal, '{"block_number": 5}')).* from ${SEALS} as seal where block_number = 4;
    update ${SEALS} set previous_hash = (select hash from ${SEALS} where block_number = 4) where block_number = 5;
    ${rehashing(5)}`,
  );

  assertEquals(await verify(sql), found(5, "seal_altered"));
});

tamperTest("tells that the chain's end was taken away, and sealing stops", async (sql) => {
  await sql`delete from private.audit_chain`;

  assertEquals(await verify(sql), found(LAST_BLOCK, "seal_altered"));
  assertEquals(await sqlStateOf(sql, (sql) => seal(sql)), "P0002");
});

tamperTest("begins where it is told, and refuses where no block is", async (sql) => {
  await tamper(sql, LOG, `delete from ${LOG} where id = '${ids[3]}'`);

  assertEquals(await verify(sql, 3), found(3, "missing", ids[3]));
  assertEquals(await verify(sql, 4), null);
  for (const block of [0, -1, 5]) assertEquals(await sqlStateOf(sql, (sql) => verify(sql, block)), "PGRST");
});

tamperTest("begins at the anchor, so that what is before it may be archived", async (sql) => {
  await sql`select private.anchor_audit_log(4)`;
  await tamper(sql, LOG, `delete from ${LOG} where id = any('{${ids.slice(0, 6)}}')`);

  assertEquals(await verify(sql), null);
  assertEquals(await sqlStateOf(sql, (sql) => verify(sql, 3)), "PGRST");
  const [event] =
    await sql`select action, resource_type, resource_id from public.system_audit_logs where action = 'anchor'`;
  assertEquals(event, { action: "anchor", resource_type: "audit_log", resource_id: "4" });
});

tamperTest("takes an anchor neither backwards nor beyond the end", async (sql) => {
  await sql`select private.anchor_audit_log(3)`;

  for (const block of [2, 7]) {
    assertEquals(await sqlStateOf(sql, (sql) => sql`select private.anchor_audit_log(${block})`), "22023");
  }
});

tamperTest("is what the schedule's check fails by", async (sql) => {
  await sql`select private.check_audit_log()`;
  await tamper(sql, LOG, `delete from ${LOG} where id = '${ids[3]}'`);

  assertEquals(await sqlStateOf(sql, (sql) => sql`select private.check_audit_log()`), "XX001");
});
