import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../wallet/wallets.ts";
import { eventOf, ingest, openReceiver, receive, RECEIVER } from "./intake.ts";

const database = await createTestDatabase();
const OPERATOR = { app_metadata: { role: "operator" } };

async function asOperator<T>(
  sql: TransactionSql,
  work: (sql: TransactionSql) => Promise<T>,
  isRegistered = true,
): Promise<T> {
  const userId = await createUser(sql);
  if (isRegistered) await sql`insert into private.operators (user_id, reason) values (${userId}, 'tried')`;
  return await asUser(sql, userId, work, OPERATOR);
}

Deno.test(
  "list_payment_events() shows operators what came, the newest first, page by page, and nothing of persons",
  rolledBack(database, async (sql) => {
    for (const event_id of ["e1", "e2", "e3"]) await ingest(sql, { event_id, payload: { email: "aline@example.com" } });

    const pages = await asOperator(sql, async (sql) => {
      const first = await sql`select * from public.list_payment_events(outcome => 'unmatched', max_count => 2)`;
      return [first, await sql`select * from public.list_payment_events(before_id => ${first.at(-1)!.id})`];
    }, false);

    assertEquals(pages.map((page) => page.map(({ event_id }) => event_id)), [["e3", "e2"], ["e1"]]);
    assertEquals(JSON.stringify(pages).includes("aline"), false);
  }),
);

Deno.test(
  "what operators do about events is for registered ones, and what they see for operators",
  rolledBack(database, async (sql) => {
    await ingest(sql, { event_id: "e1" });
    const { id } = await eventOf(sql, "e1");
    const userId = await createUser(sql);
    const works: Record<string, (sql: TransactionSql) => Promise<unknown>> = {
      list: (sql) => sql`select public.list_payment_events()`,
      report: (sql) => sql`select public.payment_intake_report()`,
      replay: (sql) => sql`select public.replay_payment_event(${id})`,
      accept: (sql) => sql`select public.accept_momo_receipt(${id}, 'seen')`,
      receiver: (sql) => sql`select public.set_momo_receiver(${RECEIVER})`,
    };

    const refusals: Record<string, string[]> = {};
    for (const [name, work] of Object.entries(works)) {
      refusals[name] = [
        await asUser(sql, userId, (sql) => refusalOf(sql, work)),
        await asUser(sql, userId, (sql) => refusalOf(sql, work), OPERATOR),
        await asOperator(sql, (sql) => refusalOf(sql, work)),
      ];
    }

    assertEquals(refusals, {
      list: ["operator_required", "accepted", "accepted"],
      report: ["operator_required", "accepted", "accepted"],
      replay: ["operator_required", "operator_required", "accepted"],
      accept: ["operator_required", "operator_required", "payment_event_not_found"],
      receiver: ["operator_required", "operator_required", "accepted"],
    });
  }),
);

Deno.test(
  "payment_event_outcomes counts what became of events, and why",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await receive(sql, { sender: "+250788999999" });
    for (let time = 0; time < 3; time++) await ingest(sql, { event_id: "e1", signal: { amount: 1_000 + time } });

    const rows = await sql`
      select provider, outcome, reason, event_count::integer, copy_count::integer, contradicted_count::integer
      from public.payment_event_outcomes order by provider`;

    assertEquals(rows.map((row) => Object.values(row)), [
      ["momo_sms", "ignored", "sender_not_trusted", 1, 0, 0],
      ["stripe", "unmatched", "unknown_reference", 1, 2, 1],
    ]);
  }),
);

Deno.test(
  "payment_intake_report() shows operators outcomes and gaps",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await receive(sql, { balance: 10_000 });
    await receive(sql, { balance: 99_000 });

    const [row] = await asOperator(sql, (sql) => sql`select public.payment_intake_report() as report`, false);

    const { outcomes, momo_chain_gaps } = row!.report;
    assertEquals(outcomes.map((each: { reason: string }) => each.reason).sort(), ["chain_broken", "no_candidate"]);
    assertEquals(momo_chain_gaps.map((gap: { missing_change: number }) => gap.missing_change), [88_000]);
  }),
);
