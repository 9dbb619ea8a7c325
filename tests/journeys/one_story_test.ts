import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startFakeMomo } from "../../scripts/fakes/momo/fake_momo.ts";
import { connect } from "../../scripts/stack/connection.ts";
import { RECEIPT_FOOTER, tellStory } from "../../scripts/story/one_story.ts";
import { untilRow } from "../../scripts/story/stage.ts";
import { startStack, temporaryData } from "../stack/stack_process.ts";

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
    const traced = await sql`select distinct source from public.trace_correlation(${correlationId}) order by source`;

    assert(loserWasRefused);
    assertEquals(paymentAtEnd, "completed pending");
    assertEquals(trip.payment_status, "paid");
    assertEquals(Number(trip.completed), 1);
    assertStringIncludes(receipt, RECEIPT_FOOTER);
    assertEquals(traced.map(({ source }) => source), []);
  } finally {
    await sql.end();
  }
});
