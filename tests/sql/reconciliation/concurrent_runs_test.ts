import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { suspenseOf } from "../payments/payments.ts";
import { balanceOf, driftOf, openWallet, platformAccount } from "../wallet/wallets.ts";
import { classesOf, FROM, HEAD, now, paid, unexplained } from "./reconciliations.ts";

const database = await createTestDatabase();

Deno.test("reconcile_provider_statement() twice at once over one period comes to one result", async () => {
  const { sql } = database;
  await paid(sql, await openWallet(sql), "m1");
  const [clock] = await sql`select clock_timestamp()::text as until`;
  const csv = [HEAD, `m1,,${now()},1000,10,`, `m9,,${now()},700,5,`].join("\n");
  const connections = [connect(database.url), connect(database.url)];

  const runs = await Promise.all(connections.map(async (sql) => {
    const [row] = await sql`
      select public.reconcile_provider_statement(
        'mtn_momo', 'RWF', ${FROM}, ${clock!.until}::text::timestamptz, ${csv}, format => 'plain'
      ) as id`;
    return row!.id;
  }));
  await Promise.all(connections.map((connection) => connection.end()));

  assertEquals(runs[0], runs[1]);
  assertEquals(await classesOf(sql, runs[0]), [["m1", "matched", 1000], ["m9", "missing_internal", 700]]);
  assertEquals([await suspenseOf(sql), await balanceOf(sql, await platformAccount(sql, "provider_fees"))], [700, 15]);
  assertEquals(await unexplained(sql, runs[0]), [0, 0]);
  assertEquals(await driftOf(sql), []);
});

Deno.test("reconcile_provider_statement() twice at once over periods that overlap keeps one of them", async () => {
  const connections = [connect(database.url), connect(database.url)];

  const outcomes = await Promise.all(connections.map(async (sql, index) => {
    const from = new Date(FROM.getTime() - (10 - index) * 86_400_000);
    const to = new Date(from.getTime() + 2 * 86_400_000);
    try {
      await sql`select public.reconcile_provider_statement('stripe', 'USD', ${from}, ${to}, ${HEAD}, format => 'plain')`;
    } catch (error) {
      return JSON.parse((error as Error).message).code;
    }
    return "accepted";
  }));
  await Promise.all(connections.map((connection) => connection.end()));

  assertEquals(outcomes.sort(), ["accepted", "reconciliation_overlaps"]);
});
