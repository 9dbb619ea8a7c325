import { assertEquals } from "@std/assert";
import { GRAPH_ERRORS } from "../../../scripts/fakes/graph/graph_errors.ts";
import { messagingTest } from "../../support/messaging.ts";
import { enqueueTemplate, outbound, passTime } from "../../sql/whatsapp_outbound/outbound.ts";

const codeOf = new Map<string, number>();
/** What a 5xx of Graph's means that is no refusal in so many words (docs: "The Graph API"). */
const DOUBTFUL = [2, 131000, 131016, 131057, 133004];

messagingTest(
  "every code of Meta's ends in one message or in a failure that says why",
  {
    misbehave: ({ intent, count }) =>
      count === 1 && codeOf.has(intent) ? { accepts: false, answer: { code: codeOf.get(intent)! } } : undefined,
  },
  async ({ sql, graph, work }) => {
    // A number of its own for each, so that none stands behind another's circuit.
    for (const [at, code] of Object.keys(GRAPH_ERRORS).map(Number).entries()) {
      const id = await enqueueTemplate(sql, {
        phone_number_id: String(100000000001000 + at),
        recipient_phone: `+${250788001000 + at}`,
        message_payload: { template: { name: `template_${at}`, language: { code: "en" } } },
        expires_at: new Date(Date.now() + 400 * 86_400_000),
      });
      codeOf.set(id, code);
    }
    const expected = new Map(
      (await sql`
        select code, action.action, action.failure_reason
        from unnest(${[...codeOf.values()]}::int[]) as code
        cross join lateral private.whatsapp_error_action(jsonb_build_object('code', code)) as action`)
        .map((
          { code, action, failure_reason },
        ) => [code, ["fail", "fallback"].includes(action) ? failure_reason : "sent"]),
    );

    await work();
    for (const [id, code] of codeOf) {
      const { state } = await outbound(sql, id);
      assertEquals([code, state === "unknown"], [code, DOUBTFUL.includes(code)]);
    }
    for (const interval of ["1 minute", "73 hours", "1 minute"]) {
      await passTime(sql, interval);
      await work();
    }

    const found = new Map<number, string>();
    for (const [id, code] of codeOf) {
      const { state, failure_reason } = await outbound(sql, id);
      found.set(code, failure_reason ?? state);
    }
    assertEquals(graph.mailbox.doubles(), []);
    for (const [code, outcome] of found) {
      assertEquals([code, outcome], [code, DOUBTFUL.includes(code) ? "unresolved" : expected.get(code)]);
    }
  },
);

const takes: string[] = [];

messagingTest(
  "Meta reports on a message after the quiet period only: may_resend decides whether it arrives twice",
  { misbehave: ({ count }) => count === 1 ? { accepts: true, answer: "close" } : undefined },
  async ({ sql, graph, work }) => {
    const numbers = { may: "100000000000011", mayNot: "100000000000012" };
    takes.push(await enqueueTemplate(sql, { phone_number_id: numbers.may }));
    takes.push(await enqueueTemplate(sql, { phone_number_id: numbers.mayNot, may_resend: false }));
    await work();

    await passTime(sql, "11 minutes");
    await sql`
      insert into private.whatsapp_status_horizons (phone_number_id, reported_at)
      select unnest(${Object.values(numbers)}::text[]), now()`;
    await work();
    await graph.statuses.deliver();

    const [may, mayNot] = [await outbound(sql, takes[0]!), await outbound(sql, takes[1]!)];
    assertEquals(graph.mailbox.doubles(), [may.id]);
    assertEquals([may.state, may.former_wamids.length, mayNot.state, mayNot.failure_reason], ["sent", 1, "sent", null]);
  },
);
