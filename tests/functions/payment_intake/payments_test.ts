import { assertEquals, assertMatch } from "@std/assert";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { balanceOf, type Intake, intakeTest, paymentCount, type Person } from "./intake.ts";

/** A fare to a driver, paid by Mobile Money unless it says otherwise. */
function fare(driver: Person, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { amount: 700, currency: "RWF", method: "mtn_momo", to_account_id: driver.accountId, ...fields };
}

async function pay(intake: Intake, rider: Person, body: unknown, key = "fare-1"): Promise<Response> {
  return await intake.as(rider, "/payments", { body, key });
}

intakeTest("POST /payments by wallet moves the money at once", async (intake) => {
  const [rider, driver] = [await intake.person(1_000), await intake.person()];

  const answer = await pay(intake, rider, fare(driver, { method: "wallet" }));

  const payment = await answer.json();
  assertEquals([answer.status, payment.status, payment.next_action], [201, "succeeded", null]);
  assertEquals([await balanceOf(intake.sql, rider.accountId), await balanceOf(intake.sql, driver.accountId)], [
    300,
    700,
  ]);
});

intakeTest(
  "POST /payments by Mobile Money asks MTN under the attempt's id, which was committed before",
  async (intake) => {
    const [rider, driver] = [await intake.person(), await intake.person()];

    const answer = await pay(intake, rider, fare(driver));

    const payment = await answer.json();
    assertEquals([answer.status, payment.status, payment.next_action], [201, "processing", {
      type: "approve_on_phone",
    }]);
    const [attempt] = await intake.sql`select id, status from public.payment_attempts`;
    assertEquals([...intake.momo.books.entries.keys()], [attempt!.id]);
    assertEquals(attempt!.status, "asked");
    assertEquals(await balanceOf(intake.sql, driver.accountId), 0);
  },
);

for (const method of ["wallet", "mtn_momo"]) {
  intakeTest(`POST /payments by ${method} again gives the same answer and says so`, async (intake) => {
    const [rider, driver] = [await intake.person(1_000), await intake.person()];
    const body = fare(driver, { method });

    const first = await pay(intake, rider, body, "fare-1");
    const again = await pay(intake, rider, body, `"fare-1"`);

    assertEquals([first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")], [null, "true"]);
    assertEquals([again.status, await again.text()], [201, await first.text()]);
    assertEquals(await paymentCount(intake.sql), 1);
    assertEquals(intake.momo.books.entries.size, method === "wallet" ? 0 : 1);
  });
}

intakeTest("a replay gives the first answer also when more has happened since", async (intake) => {
  const [rider, driver] = [await intake.person(1_000), await intake.person()];
  const first = await (await pay(intake, rider, fare(driver))).json();
  intake.momo.books.decide();
  const [attempt] = await intake.sql`select id from public.payment_attempts`;
  await intake.sql`select public.record_payment_signal(${attempt!.id}, ${
    intake.sql.json({ kind: "charge", status: "succeeded", amount: 700, currency: "RWF", evidence: "api" })
  })`;

  const again = await (await pay(intake, rider, fare(driver))).json();

  assertEquals(again, first);
  const seen = await intake.as(rider, `/payments/${first.id}`, { method: "GET" });
  assertEquals((await seen.json()).status, "succeeded");
});

intakeTest("a refusal is an answer too: it is given again", async (intake) => {
  const [rider, driver] = [await intake.person(100), await intake.person()];
  const body = fare(driver, { method: "wallet" });

  const first = await pay(intake, rider, body);
  const again = await pay(intake, rider, body);

  assertEquals(again.headers.get("idempotent-replayed"), "true");
  assertEquals([await outcomeOf(first), await outcomeOf(again)], Array(2).fill("409 insufficient_funds"));
});

intakeTest("one key is one person's: another's request with it is their own", async (intake) => {
  const [rider, other, driver] = [await intake.person(1_000), await intake.person(1_000), await intake.person()];
  const body = fare(driver, { method: "wallet" });

  const answers = [await pay(intake, rider, body), await pay(intake, other, body)];

  assertEquals(answers.map(({ status }) => status), [201, 201]);
  assertEquals(await balanceOf(intake.sql, driver.accountId), 1_400);
});

intakeTest(
  "POST /payments refuses a key that is missing, unusable, doubled or used for something else",
  async (intake) => {
    const [rider, driver] = [await intake.person(1_000), await intake.person()];
    const body = fare(driver, { method: "wallet" });
    await pay(intake, rider, body, "fare-1");

    const outcomes = [
      await outcomeOf(intake.as(rider, "/payments", { body })),
      await outcomeOf(pay(intake, rider, body, "")),
      await outcomeOf(pay(intake, rider, body, `"a", "b"`)),
      await outcomeOf(pay(intake, rider, body, "x".repeat(256))),
      await outcomeOf(pay(intake, rider, { ...body, amount: 701 }, "fare-1")),
    ];

    assertEquals(outcomes, [
      "400 idempotency_key_missing",
      "400 idempotency_key_invalid",
      "400 idempotency_key_invalid",
      "400 idempotency_key_invalid",
      "422 idempotency_key_reused",
    ]);
    assertEquals(await paymentCount(intake.sql), 1);
  },
);

for (
  const [name, fields] of Object.entries({
    "no amount": { amount: undefined },
    "nothing": { amount: 0 },
    "less than nothing": { amount: -5 },
    "a fraction": { amount: 0.5 },
    "an amount in text": { amount: "700" },
    "more than a number holds": { amount: 2 ** 53 },
    "an unknown currency": { currency: "XXX" },
    "a currency in small letters": { currency: "rwf" },
    "an unknown method": { method: "cash" },
    "an unknown type": { type: "refund" },
    "an account that is none": { to_account_id: "1" },
    "a number without its country": { phone: "0788000000" },
    "a field that is not known": { status: "succeeded" },
    "a description without end": { description: "x".repeat(161) },
  })
) {
  intakeTest(`POST /payments of ${name} is refused`, async (intake) => {
    const [rider, driver] = [await intake.person(1_000), await intake.person()];

    assertEquals(await outcomeOf(pay(intake, rider, fare(driver, fields))), "422 validation_failed");
    assertEquals(await paymentCount(intake.sql), 0);
  });
}

for (
  const [method, setting] of [
    ["mtn_momo", "MTN_MOMO_COLLECTION_API_KEY"],
    ["card", "STRIPE_SECRET_KEY"],
    ["momo_ussd", "MOMO_SMS_SECRETS"],
    ["flutterwave", "FLUTTERWAVE_SECRET_KEY"],
    ["paystack", "PAYSTACK_SECRET_KEYS"],
    ["standard_webhooks", "STANDARD_WEBHOOK_SECRETS"],
  ] as const
) {
  intakeTest(`POST /payments by ${method} is refused without ${setting}, and nothing is stored`, async (intake) => {
    const [rider, driver] = [await intake.person(), await intake.person()];
    useSettings({ ...intake.settings, [setting]: undefined });

    assertEquals(await outcomeOf(pay(intake, rider, fare(driver, { method }))), "422 payment_method_unavailable");
    assertEquals(await paymentCount(intake.sql), 0);
  });
}

intakeTest("POST /payments by a provider's own page gives the reference to pay with", async (intake) => {
  const [rider, driver] = [await intake.person(), await intake.person()];

  const payment = await (await pay(intake, rider, fare(driver, { method: "paystack" }))).json();

  const [attempt] = await intake.sql`select id from public.payment_attempts`;
  assertEquals([payment.status, payment.next_action], ["pending", {
    type: "pay_with_reference",
    reference: attempt!.id,
  }]);
});

for (const answer of ["close", "garbage", { status: 500 }, { status: 503 }] as const) {
  intakeTest(`an answer of MTN's that tells nothing (${JSON.stringify(answer)}) is 201 and unknown`, async (intake) => {
    const [rider, driver] = [await intake.person(), await intake.person()];
    intake.momo.next({ accepts: true, answer });

    const response = await pay(intake, rider, fare(driver));

    const payment = await response.json();
    assertEquals([response.status, payment.status], [201, "unknown"]);
    const [attempt] = await intake.sql`select status, next_check_at is not null as is_due from public.payment_attempts`;
    assertEquals([attempt!.status, attempt!.is_due], ["unknown", true]);
  });
}

intakeTest(
  "an MTN that cannot be reached leaves the payment pending; the same request later asks it",
  async (intake) => {
    const [rider, driver] = [await intake.person(), await intake.person()];
    useSettings({ ...intake.settings, MTN_MOMO_API_URL: "http://127.0.0.1:1", OUTBOUND_ALLOWED_HOSTS: "127.0.0.1:1" });
    const first = await pay(intake, rider, fare(driver));
    assertEquals([first.status, (await first.json()).status], [201, "pending"]);
    useSettings(intake.settings);

    const again = await pay(intake, rider, fare(driver));

    assertEquals([again.status, (await again.json()).status], [201, "processing"]);
    assertEquals(again.headers.get("idempotent-replayed"), null);
    assertEquals(intake.momo.books.entries.size, 1);
  },
);

for (const [step, asked] of [["start_payment_attempt", 0], ["record_payment_signal", 1]] as const) {
  intakeTest(`a database that goes away before ${step}() makes no error of a payment that is there`, async (intake) => {
    const [rider, driver] = [await intake.person(), await intake.person()];
    intake.unreachable.add(step);

    const answer = await pay(intake, rider, fare(driver));

    assertEquals([answer.status, (await answer.json()).status], [201, "pending"]);
    assertEquals(intake.momo.books.entries.size, asked);
    const [attempt] = await intake.sql`select next_check_at is not null as is_due from public.payment_attempts`;
    assertEquals(attempt!.is_due, true);
    assertMatch(intake.log.raw.join("\n"), /"payment.request_unfinished".*"service_unavailable"/);
  });
}

intakeTest("a database that is away from the start is 503, and nothing is stored", async (intake) => {
  const [rider, driver] = [await intake.person(), await intake.person()];
  intake.unreachable.add("create_transaction");

  const answer = await pay(intake, rider, fare(driver));

  assertMatch(answer.headers.get("retry-after") ?? "", /^\d+$/);
  assertEquals([await outcomeOf(answer), await paymentCount(intake.sql)], ["503 service_unavailable", 0]);
});

intakeTest("whoever asks while a twin is still at the provider is told to come again", async (intake) => {
  const [rider, driver] = [await intake.person(), await intake.person()];
  const created = await intake.sql.begin(async (sql) => {
    await sql`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${
      JSON.stringify({ role: "authenticated", sub: rider.userId })
    }, true)`;
    return await sql`select public.create_transaction('payment', 700, 'RWF', 'mtn_momo', 'fare-1',
      to_account_id => ${driver.accountId}) as payment`;
  });
  await intake.sql`select public.start_payment_attempt(${created[0]!.payment.id})`;

  const answer = await pay(intake, rider, fare(driver));

  assertEquals(await outcomeOf(answer.clone()), "409 idempotency_key_in_use");
  assertMatch(answer.headers.get("retry-after") ?? "", /^\d+$/);
  assertEquals(intake.momo.books.entries.size, 0);
});

intakeTest("a request whose process died before asking is taken up by the next with its key", async (intake) => {
  const [rider, driver] = [await intake.person(), await intake.person()];
  useSettings({ ...intake.settings, MTN_MOMO_API_URL: "http://127.0.0.1:1", OUTBOUND_ALLOWED_HOSTS: "127.0.0.1:1" });
  const { id } = await (await pay(intake, rider, fare(driver))).json();
  await intake.sql`select public.start_payment_attempt(${id})`;
  await intake.sql`update public.payment_attempts set leased_until = now()`;
  useSettings(intake.settings);

  const payment = await (await pay(intake, rider, fare(driver))).json();

  assertEquals([payment.id, payment.status], [id, "processing"]);
  assertEquals(intake.momo.books.entries.size, 1);
});

intakeTest("POST /payments is for people who signed in", async (intake) => {
  const driver = await intake.person();
  const headers = { "content-type": "application/json", "idempotency-key": "fare-1" };
  const send = (more: Record<string, string>) =>
    intake.fetch("/payments", { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(fare(driver)) });

  const outcomes = [
    await outcomeOf(send({})),
    await outcomeOf(send({ apikey: LOCAL_KEYS.publishableKey })),
    await outcomeOf(send({ apikey: LOCAL_KEYS.secretKey })),
    await outcomeOf(send({ authorization: "Bearer x.y.z" })),
  ];

  assertEquals(outcomes.map((outcome) => outcome.slice(0, 3)), ["401", "401", "401", "401"]);
  assertEquals(await paymentCount(intake.sql), 0);
});

intakeTest("nobody pays out of another's wallet", async (intake) => {
  const [thief, victim] = [await intake.person(), await intake.person(1_000)];
  const body = fare(thief, { method: "wallet", from_account_id: victim.accountId });

  assertEquals(await outcomeOf(pay(intake, thief, body)), "404 wallet_account_not_found");
  assertEquals(await balanceOf(intake.sql, victim.accountId), 1_000);
});

intakeTest("GET /payments/{id} shows one's own payment, an operator anybody's, others none", async (intake) => {
  const [rider, driver, stranger] = [await intake.person(1_000), await intake.person(), await intake.person()];
  const operator = await intake.operator();
  const payment = await (await pay(intake, rider, fare(driver, { method: "wallet" }))).json();
  const get = (person: Person, id = payment.id) => intake.as(person, `/payments/${id}`, { method: "GET" });

  assertEquals(await (await get(rider)).json(), payment);
  assertEquals(await (await get(operator)).json(), payment);
  assertEquals(await outcomeOf(get(stranger)), "404 transaction_not_found");
  assertEquals(await outcomeOf(get(rider, crypto.randomUUID())), "404 transaction_not_found");
  assertEquals(await outcomeOf(get(rider, "1")), "422 validation_failed");
});

intakeTest("GET /payments pages through one's own, the newest first", async (intake) => {
  const [rider, driver] = [await intake.person(1_000), await intake.person()];
  const ids: string[] = [];
  for (const amount of [100, 200, 300]) {
    const answer = await pay(intake, rider, fare(driver, { method: "wallet", amount }), `fare-${amount}`);
    ids.unshift((await answer.json()).id);
  }
  const list = async (query: string, person = rider) =>
    (await (await intake.as(person, `/payments${query}`, { method: "GET" })).json()).map(({ id }: { id: string }) =>
      id
    );

  const first = await list("?max_count=2");
  const second = await list(`?max_count=2&before_id=${first[1]}`);

  assertEquals([...first, ...second], ids);
  assertEquals(await list("?status=failed"), []);
  assertEquals(await list("", driver), []);
  assertEquals(await list("", await intake.operator()), ids);
  assertEquals(await outcomeOf(intake.as(rider, "/payments?max_count=0", { method: "GET" })), "422 validation_failed");
});

intakeTest("POST /payments/{id}/cancel gives up what nobody has asked for, and nothing else", async (intake) => {
  const [rider, driver, stranger] = [await intake.person(1_000), await intake.person(), await intake.person()];
  const open = await (await pay(intake, rider, fare(driver, { method: "paystack" }), "open")).json();
  const paid = await (await pay(intake, rider, fare(driver, { method: "wallet" }), "paid")).json();
  const cancel = (person: Person, id: string) => intake.as(person, `/payments/${id}/cancel`);

  assertEquals(await outcomeOf(cancel(stranger, open.id)), "404 transaction_not_found");
  assertEquals((await (await cancel(rider, open.id)).json()).status, "cancelled");
  assertEquals((await (await cancel(rider, open.id)).json()).status, "cancelled");
  assertEquals(await outcomeOf(cancel(rider, paid.id)), "409 transaction_state_conflict");
});
