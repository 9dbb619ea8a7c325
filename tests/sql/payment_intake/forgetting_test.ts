import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { eventOf, expectUssd, ingest, openReceiver, receive } from "./intake.ts";

const database = await createTestDatabase();

async function ageEvents(sql: TransactionSql): Promise<void> {
  await sql`set constraints all immediate`;
  await sql`alter table public.payment_webhook_events disable trigger user`;
  await sql`update public.payment_webhook_events set id = private.uuid_v7(now() - interval '91 days')`;
  await sql`alter table public.payment_webhook_events enable trigger user`;
}

Deno.test(
  "a receipt that is settled is kept without its payer",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);

    const { event_id } = await receive(sql, { message: payment.reference });

    const { payload, signal } = await eventOf(sql, event_id);
    const kept = JSON.stringify({ payload, signal });
    for (const personal of ["Aline", '"001"', payment.reference]) {
      assertEquals(kept.includes(personal), false, personal);
    }
    assertEquals([payload.receipt.amount, signal.amount], [1_000, 1_000]);
  }),
);

Deno.test(
  "a receipt that a person must look at keeps its payer until then",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);

    const { event_id } = await receive(sql);

    assertEquals((await eventOf(sql, event_id)).payload.receipt.name, "Aline Uwase");
  }),
);

Deno.test(
  "a payer is forgotten once a person has looked",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const { event_id } = await receive(sql);
    const { review_id } = await eventOf(sql, event_id);
    await sql`select public.resolve_payment_review(${review_id}, 'refund', 'sent back')`;

    const counts = [];
    for (let time = 0; time < 2; time++) {
      counts.push((await sql`select private.forget_payment_payloads() as count`)[0]!.count);
    }

    const { payload, signal } = await eventOf(sql, event_id);
    assertEquals([counts, JSON.stringify({ payload, signal }).includes("Aline")], [[1, 0], false]);
    assertEquals(payload.receipt.amount, 1_000);
  }),
);

Deno.test(
  "after 90 days a payload is forgotten, and its event still known",
  rolledBack(database, async (sql) => {
    const told = {
      event_id: "e1",
      payload: { email: "aline@example.com" },
      signal: { kind: "other", payer_name: "Aline" },
    } as const;
    await ingest(sql, told);
    await ageEvents(sql);

    const [row] = await sql`select private.forget_payment_payloads() as count`;

    const { payload, signal } = await eventOf(sql, "e1");
    assertEquals([row!.count, payload, "payer_name" in signal], [1, null, false]);
    assertEquals((await ingest(sql, told)).duplicate, true);
  }),
);

Deno.test(
  "a payload is not forgotten while its review is open",
  rolledBack(database, async (sql) => {
    await ingest(sql, { event_id: "e1", payload: { email: "aline@example.com" } });
    await ageEvents(sql);

    await sql`select private.forget_payment_payloads()`;

    assertEquals((await eventOf(sql, "e1")).payload, { email: "aline@example.com" });
  }),
);

Deno.test(
  "erase_payment_data() forgets what was told of a person, and of nobody else",
  rolledBack(database, async (sql) => {
    for (const event_id of ["hers", "his"]) {
      await ingest(sql, { event_id, payload: { email: `${event_id}@example.com` }, signal: { kind: "other" } });
    }
    const [profile] = await sql`insert into public.profiles (full_name) values ('Aline') returning id`;
    await sql`update public.payment_webhook_events set profile_id = ${profile!.id} where event_id = 'hers'`;

    for (let time = 0; time < 2; time++) await sql`select public.erase_payment_data(${profile!.id})`;

    assertEquals([(await eventOf(sql, "hers")).payload, (await eventOf(sql, "his")).payload], [null, {
      email: "his@example.com",
    }]);
  }),
);
