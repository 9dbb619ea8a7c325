import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { ingest } from "../../support/ingest.ts";
import { deliveriesOf, LOGS } from "./session_log.ts";
import { byKey, type Windows, windowsAfter } from "./session_model.ts";

const database = await createTestDatabase();

/** What the sessions say of windows, and of whom; without those that say nothing, because all messages moved away. */
async function windowsIn(sql: TransactionSql): Promise<Windows[]> {
  const rows = await sql<Windows[]>`
    select
      (
        select case identity.kind when 'bsuid' then 'user ' || identity.value
          else 'nobody known with ' || identity.value || ' from -Infinity' end
        from public.whatsapp_identities as identity
        where identity.contact_id = session.contact_id
        order by identity.kind = 'wa_id' limit 1
      ) as person,
      session.phone_number_id as number,
      session.last_inbound_at as inbound,
      session.window_expires_at as window,
      session.last_outbound_at as outbound,
      session.referred_at as referred,
      session.free_entry_expires_at as free
    from public.whatsapp_sessions as session
    where num_nonnulls(session.last_inbound_at, session.last_outbound_at, session.free_entry_expires_at) > 0`;
  return rows.map((row) => ({ ...row })).sort(byKey);
}

/** Runs `work` and undoes it. */
async function undone(sql: TransactionSql, work: (sql: TransactionSql) => Promise<void>): Promise<void> {
  const UNDO = Symbol("undo");
  await sql.savepoint(async (inner) => {
    await work(inner);
    throw UNDO;
  }).catch((thrown) => {
    if (thrown !== UNDO) throw thrown;
  });
}

for (const [name, log] of Object.entries(LOGS)) {
  Deno.test(
    `windows are those of the log, whatever the order, the batches and the repetitions of its deliveries: ${name}`,
    rolledBack(database, async (sql) => {
      const property = fc.asyncProperty(log, (facts) =>
        undone(sql, async (inner) => {
          for (const body of deliveriesOf(facts)) await ingest(inner, body);

          assertEquals(await windowsIn(inner), windowsAfter(facts, new Date()));
        }));
      await fc.assert(property, { numRuns: 100 });
    }),
  );
}
