import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startFakeMomo } from "../../scripts/fakes/momo/fake_momo.ts";
import { connect } from "../../scripts/stack/connection.ts";
import { RECEIPT_FOOTER, tellStory } from "../../scripts/story/one_story.ts";
import { until } from "../../scripts/story/phone.ts";
import { untilRow } from "../../scripts/story/stage.ts";
import { startStack, temporaryData } from "../stack/stack_process.ts";

/** What happens to one ride, by whomever, after it was asked for. */
const MOVES = ["trip.offered", "trip.accepted", "trip.arrived", "trip.started", "trip.completed", "trip.paid"];
/** Where one ride leaves rows, events, metrics and audit entries. */
const SOURCES = [
  "analytics_events",
  "event_store",
  "payment_attempts",
  "system_audit_logs",
  "transactions",
  "trips",
  "wallet_transactions",
  "whatsapp_deliveries",
  "whatsapp_message_queue_history",
  "whatsapp_messages",
];

Deno.test("one ride goes through everything, and its correlation id finds all of it", async () => {
  await using data = temporaryData();
  // MTN takes the request, breaks the connection instead of answering, and calls back only when the trip is over.
  await using momo = startFakeMomo({ course: () => ({ afterMs: Infinity }) });
  momo.next({ accepts: true, answer: "close" });
  await using stack = startStack(data.path, [], undefined, (url) => ({
    ...momo.settings,
    MTN_MOMO_CALLBACK_URL: `${url}/functions/v1/payment-intake/webhooks/mtn-momo`,
    OUTBOUND_ALLOWED_HOSTS: momo.host,
  }));
  await stack.ready();
  const sql = connect(stack.databaseUrl);

  try {
    const told = await tellStory({
      apiUrl: stack.url,
      sql,
      tell: () => {},
      async letPay() {
        await until("MTN has the request", () => Promise.resolve(momo.books.entries.size > 0 || undefined));
        momo.books.decide();
        await momo.callbacks.deliver();
      },
    });
    const { tripId, correlationId, loserWasRefused, paymentAtEnd, receipt } = told;
    const trip = await untilRow("the trip is counted", () =>
      sql`
        select trip.payment_status, (
          select event_count from private.daily_metrics where event_name = 'trip.completed'
        ) as completed
        from public.trips as trip
        where trip.id = ${tripId} and exists (select from private.daily_metrics where event_name = 'trip.completed')`);
    const traced = await sql`select source, what from public.trace_correlation(${correlationId})`;

    assert(loserWasRefused);
    assertEquals(paymentAtEnd, "completed pending");
    assertEquals(trip.payment_status, "paid");
    assertEquals(Number(trip.completed), 1);
    assertStringIncludes(receipt, RECEIPT_FOOTER);
    const events = traced.filter(({ source }) => source === "event_store").map(({ what }) => what);
    assertEquals(MOVES.filter((move) => !events.includes(move)), []);
    assertEquals(SOURCES.filter((name) => !traced.some(({ source }) => source === name)), []);
  } finally {
    await sql.end();
  }
});
