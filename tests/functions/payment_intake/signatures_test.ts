import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { type Intake, intakeTest } from "./intake.ts";
import { post, receiptOf, type Sender, SENDERS } from "./senders.ts";

const TOLD = { reference: crypto.randomUUID(), amount: 700, status: "failed" } as const;

async function eventCount({ sql }: Intake): Promise<number> {
  return (await sql`select from public.payment_webhook_events`).length;
}

/** Moments that are too far from now, by a minute. */
const OFF_TIMES = { "too old": -360, "of the future": 360 };

for (const [name, sender] of Object.entries(SENDERS)) {
  intakeTest(`${name}: every secret of a rotation is accepted, and none other`, async (intake) => {
    useSettings({ ...intake.settings, [sender.setting]: `${sender.otherSecret}, ${sender.secret}` });
    const body = sender.body(TOLD);

    assertEquals((await post(intake, sender, body)).status, 200);
    assertEquals((await post(intake, sender, body, { secret: sender.otherSecret })).status, 200);
    useSettings({ ...intake.settings, [sender.setting]: sender.secret });
    const refused = post(intake, sender, body, { secret: sender.otherSecret });
    assertEquals(await outcomeOf(refused), "401 signature_invalid");
  });

  intakeTest(
    `${name}: without a secret nobody gets in, and the answer says that it is not configured`,
    async (intake) => {
      useSettings({ ...intake.settings, [sender.setting]: undefined });

      assertEquals(await outcomeOf(post(intake, sender, sender.body(TOLD))), "503 not_configured");
      assertEquals(await eventCount(intake), 0);
    },
  );

  intakeTest(
    `${name}: what is unsigned, or signed over something else, is refused without a reason`,
    async (intake) => {
      const body = sender.body(TOLD);
      const headers = await sender.headers(body, sender.secret);

      const unsigned = await intake.fetch(sender.path, { method: "POST", body });
      const changed = await intake.fetch(sender.path, { method: "POST", headers, body: `${body} ` });

      for (const answer of [unsigned, changed]) {
        const problem = await answer.json();
        assertEquals([answer.status, problem.type, problem.detail], [401, "/problems/signature_invalid", undefined]);
      }
      assertEquals(await eventCount(intake), 0);
    },
  );

  for (const [when, seconds] of Object.entries(sender.isTimed ? OFF_TIMES : {})) {
    intakeTest(`${name}: a delivery ${when} is refused`, async (intake) => {
      const at = new Date(Date.now() + seconds * 1000);

      assertEquals(await outcomeOf(post(intake, sender, sender.body(TOLD), { at })), "401 signature_invalid");
      assertEquals(await eventCount(intake), 0);
    });
  }

  intakeTest(`${name}: the same event again is a duplicate, also with a new signature`, async (intake) => {
    const body = sender.body(TOLD);

    const first = await receiptOf(post(intake, sender, body, { at: new Date(Date.now() - 60_000) }));
    const again = await receiptOf(post(intake, sender, body));

    assertEquals([first.received, first.duplicate, again.received, again.duplicate], [true, false, true, true]);
    assertEquals(await eventCount(intake), 1);
  });

  intakeTest(`${name}: 16 copies at once are one event`, async (intake) => {
    const body = sender.body(TOLD);

    const receipts = await Promise.all(Array.from({ length: 16 }, () => receiptOf(post(intake, sender, body))));

    assertEquals(receipts.filter(({ duplicate }) => !duplicate).length, 1);
    assertEquals(await eventCount(intake), 1);
  });

  intakeTest(`${name}: what is no JSON is kept as it came, once`, async (intake) => {
    const bodies = ["not JSON at all", "", '"a text"', "[1]", `${"[".repeat(5_000)}${"]".repeat(5_000)}`];
    for (const body of [...bodies, ...bodies]) await receiptOf(post(intake, sender, body));

    const rows = await intake.sql`
      select event_type, payload ->> 'raw_base64' as raw, outcome from public.payment_webhook_events order by id`;
    assertEquals(rows.map(({ raw }) => atob(raw)), bodies);
    assertEquals(
      rows.map(({ event_type, outcome }) => `${event_type} ${outcome}`),
      Array(5).fill("unreadable ignored"),
    );
  });

  intakeTest(`${name}: an event in another shape is kept, and nothing is done`, async (intake) => {
    const receipt = await receiptOf(post(intake, sender, `{"hello":"wor\\u0000ld \\ud800"}`));

    const [row] = await intake.sql`select event_type, payload from public.payment_webhook_events`;
    assertEquals([receipt.duplicate, row!.event_type, row!.payload], [false, "unknown", {
      hello: "wor\ufffdld \ufffd",
    }]);
  });

  intakeTest(`${name}: with the database down, it is told to come again`, async (intake) => {
    useSettings({ ...intake.settings, SUPABASE_URL: "http://127.0.0.1:1" });

    const answer = await post(intake, sender, sender.body(TOLD));

    assertEquals([answer.status, answer.headers.has("retry-after")], [503, true]);
    await answer.body?.cancel();
  });
}

/** Every place of a JSON document that holds another value than an object. */
function placesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...path, name]));
}

/** The document with something else at one place. */
function changedAt(document: string, path: readonly string[], value: unknown): string {
  const changed = JSON.parse(document);
  const container = path.slice(0, -1).reduce((inner, name) => inner[name], changed);
  container[path.at(-1)!] = value;
  return JSON.stringify(changed);
}

const ODD: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ minLength: 190, maxLength: 400 }),
  fc.constantFrom("constructor", "__proto__", "\u0000", "\ud800", -1, 1e300, 2 ** 53, "RWF ", "9".repeat(200)),
);

for (const [name, sender] of Object.entries(SENDERS)) {
  intakeTest(`${name}: whatever it writes, signed, is answered 200 and kept`, async (intake) => {
    const document = sender.body({ ...TOLD, status: "succeeded", currency: "RWF" });
    const place = fc.constantFrom(...placesOf(JSON.parse(document)));

    await fc.assert(
      fc.asyncProperty(place, ODD, async (path, value) => {
        const body = changedAt(document, path, value);
        await receiptOf(post(intake, sender, body));
        assertEquals((await receiptOf(post(intake, sender, body))).duplicate, true);
      }),
      { numRuns: 60 },
    );
  });
}

intakeTest("an event whose id is longer than any index takes is told from others by its body", async (intake) => {
  const sender: Sender = SENDERS.standardWebhooks;
  const [one, other] = [700, 701].map((amount) => sender.body({ ...TOLD, amount, eventId: "x".repeat(300) }));

  const receipts = [];
  for (const body of [one!, one!, other!]) receipts.push(await receiptOf(post(intake, sender, body)));

  assertEquals(receipts.map(({ duplicate }) => duplicate), [false, true, false]);
});

intakeTest("a body of more than a mebibyte is refused before it is looked at", async (intake) => {
  const sender: Sender = SENDERS.stripe;

  assertEquals(await outcomeOf(post(intake, sender, "x".repeat(1024 * 1024 + 1))), "413 payload_too_large");
});

intakeTest("Flutterwave's older way, the secret hash itself, is accepted too", async (intake) => {
  const body = JSON.stringify({ event: "charge.completed", data: { id: 1, tx_ref: "x", status: "failed" } });
  const send = (hash: string) =>
    intake.fetch("/webhooks/flutterwave", { method: "POST", headers: { "verif-hash": hash }, body });

  assertEquals((await receiptOf(send("local-flutterwave-hash"))).duplicate, false);
  assertEquals(await outcomeOf(send("local-flutterwave")), "401 signature_invalid");
});

intakeTest("nothing that could confirm or repeat a payment is kept", async (intake) => {
  await receiptOf(post(intake, SENDERS.stripe, SENDERS.stripe.body(TOLD)));
  const authorization = { authorization_code: "AUTH_1", last4: "4081" };
  const body = JSON.stringify({ event: "charge.success", data: { id: 7, authorization } });
  await receiptOf(post(intake, SENDERS.paystack, body));

  const rows = await intake.sql`select payload::text as text from public.payment_webhook_events`;
  assertEquals(rows.filter(({ text }) => /secret|AUTH_1/.test(text)), []);
  assertEquals(rows.filter(({ text }) => text.includes("4081")).length, 1);
});

intakeTest("a sender that we do not know has no address", async (intake) => {
  assertEquals(await outcomeOf(intake.fetch("/webhooks/paypal", { method: "POST", body: "{}" })), "404 not_found");
  assertEquals(await outcomeOf(intake.fetch("/webhooks/stripe")), "405 method_not_allowed");
});
