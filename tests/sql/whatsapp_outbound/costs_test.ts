import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { NUMBER, secondsAgo, status, statuses } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";

type Transaction = Parameters<typeof ingest>[0];

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const UTILITY = { billable: true, pricing_model: "PMP", type: "regular", category: "utility" };
const SERVICE = { ...UTILITY, category: "service" };

test("a delivered message costs once, however its statuses come", async (sql) => {
  await tell(sql, "wamid.1", ["read", UTILITY], ["sent", UTILITY], ["delivered"], ["read", UTILITY], ["sent", UTILITY]);

  assertEquals(await spend(sql), [
    line({ category: "utility", delivered_count: 1, charged_count: 1, unrated_count: 1 }),
  ]);
});

test("what is not delivered costs nothing", async (sql) => {
  await tell(sql, "wamid.1", ["sent", UTILITY]);
  await tell(sql, "wamid.2", ["sent", UTILITY], ["failed"]);

  const costs = await sql`select free_reason from public.whatsapp_message_costs`;
  assertEquals(await spend(sql), []);
  assertEquals(costs.map(({ free_reason }) => free_reason), ["not_delivered", "not_delivered"]);
});

test("what Meta says of the delivery counts before what it said of the sending", async (sql) => {
  await tell(sql, "wamid.1", ["sent", UTILITY], ["delivered", { ...UTILITY, category: "marketing" }]);

  assertEquals((await spend(sql)).map(({ category }) => category), ["marketing"]);
});

test("what Meta calls free is free", async (sql) => {
  await tell(sql, "wamid.1", ["delivered", { ...UTILITY, type: "free_customer_service" }]);
  await tell(sql, "wamid.2", ["delivered", { ...UTILITY, type: "free_entry_point" }]);
  await tell(sql, "wamid.3", ["delivered", { billable: false, pricing_model: "CBP", category: "utility" }]);

  assertEquals(await spend(sql), [line({ category: "utility", delivered_count: 3, free_count: 3 })]);
});

test("a number's first thousand service messages of a month are free", async (sql) => {
  const bodies = Array.from({ length: 1_002 }, (_, at) => status(`wamid.${at}`, "delivered", { pricing: SERVICE }));
  for (let start = 0; start < bodies.length; start += 200) {
    await ingest(sql, statuses(...bodies.slice(start, start + 200)));
  }
  await tell(sql, "wamid.ad", ["delivered", { ...SERVICE, type: "free_entry_point" }]);

  assertEquals(await spend(sql), [line({
    category: "service",
    delivered_count: 1_003,
    free_count: 1,
    allowance_count: 1_000,
    charged_count: 2,
    unrated_count: 2,
  })]);
});

test("utility has no thousand of its own", async (sql) => {
  await tell(sql, "wamid.1", ["delivered", UTILITY]);

  assertEquals((await spend(sql))[0]!.allowance_count, 0);
});

test("the rate is that of the recipient's country and the day", async (sql) => {
  await rate(sql, "", "utility", "2026-01-01", 9_000);
  await rate(sql, "250", "utility", "2026-01-01", 7_000);
  await rate(sql, "250", "utility", "2026-02-01", 6_000);
  await rate(sql, "250", "utility", "2099-01-01", 1);
  await rate(sql, "RW.", "utility", "2026-01-01", 5_000);
  await tell(sql, "wamid.1", ["delivered", UTILITY]);
  await ingest(sql, statuses(status("wamid.2", "delivered", { recipient_id: "256700000001", pricing: UTILITY })));
  const nameless = { recipient_id: undefined, recipient_user_id: "RW.1", pricing: UTILITY };
  await ingest(sql, statuses(status("wamid.3", "delivered", nameless)));

  assertEquals(await spend(sql), [
    line({ category: "utility", delivered_count: 3, charged_count: 3, spend_micros: "20000", currency: "USD" }),
  ]);
});

test("a month is a month of delivery", async (sql) => {
  await tell(sql, "wamid.1", ["delivered", UTILITY]);

  const [other] = await sql`select count(*)::int from public.whatsapp_spend((now() - interval '2 months')::date)`;
  assertEquals(other!.count, 0);
});

type Told = [name: string, pricing?: Record<string, unknown>];

/** Statuses of one message, each in a delivery of its own. */
async function tell(sql: Transaction, wamid: string, ...told: Told[]): Promise<void> {
  for (const [at, [name, pricing]] of told.entries()) {
    await ingest(sql, statuses(status(wamid, name, { timestamp: secondsAgo(at % 2), ...(pricing && { pricing }) })));
  }
}

async function rate(sql: Transaction, prefix: string, category: string, day: string, micros: number): Promise<void> {
  await sql`insert into public.whatsapp_rates values (${prefix}, ${category}, ${day}, ${micros}, 'USD')`;
}

async function spend(sql: Transaction): Promise<Record<string, unknown>[]> {
  return [
    ...await sql`
    select phone_number_id, category, delivered_count::int, free_count::int, allowance_count::int, charged_count::int,
      unrated_count::int, spend_micros, currency
    from public.whatsapp_spend(now()::date)`,
  ];
}

function line(fields: Record<string, unknown>): Record<string, unknown> {
  return {
    phone_number_id: NUMBER,
    free_count: 0,
    allowance_count: 0,
    charged_count: 0,
    unrated_count: 0,
    spend_micros: null,
    currency: null,
    ...fields,
  };
}
