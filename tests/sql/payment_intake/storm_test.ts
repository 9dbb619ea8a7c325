import { assertEquals } from "@std/assert";
import fc from "fast-check";
import postgres, { type ISql, type Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { pathOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, driftOf } from "../wallet/wallets.ts";
import { chainOf, expectPayment, ingest, openReceiver, PAYER, receiptText, receiveText } from "./intake.ts";

const CONNECTIONS = 16;

/** What is told of one payment, and how it must end whatever the order. */
const STORIES = {
  paid: { says: [{ status: "processing" }, { status: "succeeded" }], ends: "succeeded", suspense: 0 },
  "paid late": { says: [{ status: "failed" }, { status: "succeeded" }], ends: "succeeded", suspense: 0 },
  failed: { says: [{ status: "processing" }, { status: "failed" }], ends: "failed", suspense: 0 },
  "paid wrong": { says: [{ status: "succeeded", amount: 900 }, { status: "failed" }], ends: "unknown", suspense: 900 },
  "paid twice": {
    says: [{ status: "succeeded" }, { status: "succeeded", provider_id: "again" }],
    ends: "succeeded",
    suspense: 1_000,
  },
} as const;
type Story = keyof typeof STORIES | "strange" | "named by SMS" | "found by SMS";

const storms = fc.record({
  stories: fc.array(
    fc.constantFrom<Story>(
      ...Object.keys(STORIES) as Story[],
      "strange",
      "named by SMS",
      "named by SMS",
      "found by SMS",
      "found by SMS",
    ),
    { minLength: 6, maxLength: 14 },
  ),
  copies: fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
  order: fc.infiniteStream(fc.nat()),
});

interface Told {
  suspense: number;
  deliveries: ((sql: ISql) => Promise<unknown>)[];
  payment: { id: string; accountId: string; ends: string; amount: number } | null;
}

Deno.test("events that come one to five times, in any order, sixteen at once, have one effect each", async () => {
  await fc.assert(
    fc.asyncProperty(storms, async ({ stories, copies, order }) => {
      const database = await createTestDatabase();
      const connections = Array.from({ length: CONNECTIONS }, () => connect(database.url));
      try {
        await openReceiver(database.sql);
        const told: Told[] = [];
        for (const [index, story] of stories.entries()) told.push(await tell(database.sql, story, index));

        const deliveries = told.flatMap(({ deliveries }) => deliveries)
          .flatMap((deliver) =>
            Array.from({ length: copies.next().value }, () => ({ deliver, place: order.next().value }))
          )
          .sort((one, other) => one.place - other.place);
        await Promise.all(connections.map(async (sql, lane) => {
          for (const [index, { deliver }] of deliveries.entries()) {
            if (index % CONNECTIONS === lane) await untilTaken(() => deliver(sql));
          }
        }));

        await assertOneEffectEach(database.sql, told);
      } finally {
        await Promise.all([...connections, database.sql].map((sql) => sql.end()));
      }
    }),
    { numRuns: 6, endOnFailure: true },
  );
});

async function tell(sql: Sql, story: Story, index: number): Promise<Told> {
  if (story === "strange") {
    const deliveries = ["a", "b"].map((event) => (sql: ISql) =>
      ingest(sql, { event_id: `strange-${index}-${event}`, signal: { provider_id: `pi_strange_${index}` } })
    );
    return { suspense: 1_000, deliveries, payment: null };
  }
  if (story === "named by SMS" || story === "found by SMS") return await tellBySms(sql, story, index);

  const { says, ends, suspense } = STORIES[story];
  const payment = await expectPayment(sql, "paystack");
  const deliveries = says.map((said, event) => (sql: ISql) =>
    ingest(sql, {
      provider: "paystack",
      event_id: `${index}-${event}`,
      signal: {
        attempt_id: payment.attemptId,
        ...said,
        provider_id: `ps_${index}_${"provider_id" in said ? said.provider_id : "one"}`,
      },
    })
  );
  return { suspense, deliveries, payment: { ...payment, ends, amount: ends === "succeeded" ? 1_000 : 0 } };
}

/** Each receipt leaves what all payments so far bring; no two are found by the same amount. */
async function tellBySms(sql: Sql, story: Story, index: number): Promise<Told> {
  const amount = story === "found by SMS" ? 2_000 + index : 1_000;
  const payment = await expectPayment(sql, "momo_ussd", amount, PAYER);
  const [row] =
    await sql`select coalesce(sum(amount), 0)::integer as before from public.payment_attempts where provider = 'momo_sms'`;
  const text = receiptText({
    amount,
    balance: row!.before,
    message: story === "named by SMS" ? payment.reference : "",
    at: new Date(Date.now() + 1_000 * index),
  });
  return {
    suspense: 0,
    deliveries: [(sql) => receiveText(sql, text)],
    payment: { ...payment, ends: "succeeded", amount },
  };
}

/** As providers do: what is answered with an error is sent again. */
async function untilTaken(deliver: () => Promise<unknown>, tries = 20): Promise<void> {
  try {
    await deliver();
  } catch (error) {
    const mayHeal = error instanceof postgres.PostgresError && /^(40|PG)/.test(error.code);
    if (!mayHeal || tries === 0) throw error;
    await untilTaken(deliver, tries - 1);
  }
}

async function assertOneEffectEach(sql: Sql, told: Told[]): Promise<void> {
  for (const { payment } of told) {
    if (!payment) continue;
    const path = await pathOf(sql, payment.id);
    assertEquals(path.at(-1), payment.ends);
    assertEquals(path.slice(0, -1).includes("succeeded"), false, "a status went back");
    assertEquals(await balanceOf(sql, payment.accountId), payment.amount);
  }
  assertEquals(await suspenseOf(sql), told.reduce((sum, { suspense }) => sum + suspense, 0));
  assertEquals((await chainOf(sql)).filter((state) => state === "broken"), []);
  const events = await sql`select count(*)::integer as count from public.payment_webhook_events`;
  assertEquals(events[0]!.count, told.reduce((sum, { deliveries }) => sum + deliveries.length, 0));
  assertEquals(await driftOf(sql), []);
}
