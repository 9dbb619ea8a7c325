import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { Source } from "shared/worker/drain.ts";
import { type FakeMomo, startFakeMomo } from "../../../scripts/fakes/momo/fake_momo.ts";
import type { MomoCourse } from "../../../scripts/fakes/momo/momo_books.ts";
import { startFakeStripe } from "../../../scripts/fakes/stripe/fake_stripe.ts";
import { payments } from "../../../supabase/functions/worker/payments.ts";
import { create, pathOf, refund, reviewsOf, statusOf, suspenseOf } from "../../sql/payments/payments.ts";
import { openWallet, standingOf } from "../../sql/wallet/wallets.ts";
import { useSettings } from "../../support/settings.ts";
import { type Worker, workerTest } from "./worker.ts";

function sources(call: ServiceRpc): Source[] {
  return [payments(call)];
}

function configure(...fakes: { settings: Record<string, string>; host: string }[]): void {
  const settings = Object.assign({ STRIPE_SECRET_KEY: undefined }, ...fakes.map((fake) => fake.settings));
  useSettings({ ...settings, OUTBOUND_ALLOWED_HOSTS: fakes.map(({ host }) => host).join(",") });
}

/** Lets every look-up be due, as if the time had come. */
async function passTime(sql: Sql, interval = "0 seconds"): Promise<void> {
  await sql`
    update public.payment_attempts
    set asked_at = asked_at - ${interval}::interval, next_check_at = now() - interval '1 second'
    where next_check_at is not null`;
}

/** Lets the worker ask, and then look up until nothing is open. */
async function settle({ sql, run }: Worker, runs = 2): Promise<void> {
  for (let count = 0; count < runs; count++) {
    await passTime(sql);
    await run(sources);
  }
}

function requestsOf(momo: FakeMomo): string[] {
  return momo.requests.filter((request) => !request.endsWith("/token/")).map((request) =>
    request.replace(/(\/[0-9a-f-]{36})$/, "")
  );
}

workerTest("a payment that nobody has asked for is asked for once, and booked once it is made", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo();
  configure(momo);
  const driver = await openWallet(sql);
  const payment = await create(sql, { to: driver });

  await settle(worker, 4);

  assertEquals(await pathOf(sql, payment.id), ["pending", "processing", "succeeded"]);
  assertEquals([(await standingOf(sql, driver))[0], momo.books.balance("RWF")], [1_000, 1_000]);
  assertEquals(requestsOf(momo), ["POST /collection/v1_0/requesttopay", "GET /collection/v1_0/requesttopay"]);
});

workerTest("a request whose answer was lost is looked up, not made again", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo();
  configure(momo);
  momo.next({ accepts: true, answer: { status: 502 } });
  const payment = await create(sql, { to: await openWallet(sql) });

  await settle(worker);

  assertEquals(await pathOf(sql, payment.id), ["pending", "unknown", "succeeded"]);
  assertEquals(requestsOf(momo), ["POST /collection/v1_0/requesttopay", "GET /collection/v1_0/requesttopay"]);
});

workerTest("a request that never arrived is made again under the same id, as soon as MTN says so", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo();
  configure(momo);
  momo.next({ accepts: false, answer: { status: 502 } });
  const payment = await create(sql, { to: await openWallet(sql) });

  await settle(worker, 3);

  assertEquals(await pathOf(sql, payment.id), ["pending", "unknown", "processing", "succeeded"]);
  assertEquals([momo.books.entries.size, momo.books.balance("RWF")], [1, 1_000]);
});

workerTest("a payment that MTN has not heard of for long has come to nothing", async (worker) => {
  const { sql, run } = worker;
  await using momo = startFakeMomo();
  configure(momo);
  momo.next({ accepts: false, answer: { status: 502 } });
  const payment = await create(sql, { to: await openWallet(sql) });
  await settle(worker, 1);

  await passTime(sql, "11 minutes");
  await run(sources);

  assertEquals([await statusOf(sql, payment.id), momo.books.entries.size], ["expired", 0]);
});

workerTest("a payment that was given up is not asked for again, when its request never arrived", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo();
  configure(momo);
  momo.next({ accepts: false, answer: { status: 502 } });
  const payment = await create(sql, { to: await openWallet(sql) });
  await settle(worker, 1);
  await sql`select public.update_transaction_status(${payment.id}, 'cancelled', 'the rider walks')`;

  await settle(worker);

  assertEquals([await statusOf(sql, payment.id), momo.books.entries.size], ["cancelled", 0]);
});

workerTest("what cannot be sent is given back untouched, and goes out when it can be", async (worker) => {
  const { sql, run } = worker;
  await using momo = startFakeMomo();
  const wrong = { ...momo.settings, MTN_MOMO_COLLECTION_API_KEY: "wrong" };
  configure({ host: momo.host, settings: wrong });
  const payment = await create(sql, { to: await openWallet(sql) });
  await passTime(sql);

  const report = await run(sources);
  const before = await statusOf(sql, payment.id);
  configure(momo);
  await settle(worker);

  assertEquals([report.sources.payments!.released, before], [1, "pending"]);
  assertEquals(await statusOf(sql, payment.id), "succeeded");
});

workerTest("without a provider nothing is claimed", async ({ sql, run }) => {
  useSettings({
    MTN_MOMO_TARGET_ENVIRONMENT: undefined,
    STRIPE_SECRET_KEY: undefined,
    FLUTTERWAVE_SECRET_KEY: undefined,
    PAYSTACK_SECRET_KEYS: undefined,
  });
  await create(sql, { to: await openWallet(sql) });
  await passTime(sql);

  const report = await run(sources);

  const [attempt] = await sql`select lease_token::int from public.payment_attempts`;
  assertEquals([report.sources.payments!.released, attempt!.lease_token], [0, 0]);
});

workerTest("a refusal ends the payment for its reason, and books nothing", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo({ course: () => ({ reason: "NOT_ENOUGH_FUNDS" }) });
  configure(momo);
  const driver = await openWallet(sql);
  const payment = await create(sql, { to: driver });

  await settle(worker);

  const [row] = await sql`select status, failure_code from public.transactions where id = ${payment.id}`;
  assertEquals({ ...row }, { status: "failed", failure_code: "insufficient_funds" });
  assertEquals((await standingOf(sql, driver))[0], 0);
});

workerTest("another amount than was asked for goes to suspense, and a person looks", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo({ course: () => ({ movedAmount: "10" }) });
  configure(momo);
  const driver = await openWallet(sql);
  const payment = await create(sql, { to: driver });

  await settle(worker, 3);

  const reviews = await reviewsOf(sql, payment.id);
  assertEquals([await statusOf(sql, payment.id), (await standingOf(sql, driver))[0]], ["unknown", 0]);
  assertEquals(reviews.map(({ kind, amount }) => [kind, amount]), [["amount_mismatch", 10]]);
  assertEquals(await suspenseOf(sql), 10);
});

workerTest("a payout leaves the wallet when MTN has made it, and comes back when it has not", async (worker) => {
  const { sql } = worker;
  const course: MomoCourse = {};
  await using momo = startFakeMomo({ course: () => ({ ...course }) });
  configure(momo);
  const driver = await openWallet(sql, { balance: 5_000 });
  const phone = "+250788000001";

  const made = await create(sql, { type: "payout", from: driver, phone });
  await settle(worker);
  course.reason = "PAYEE_NOT_FOUND";
  const unmade = await create(sql, { type: "payout", from: driver, phone });
  await settle(worker);

  assertEquals([await statusOf(sql, made.id), await statusOf(sql, unmade.id)], ["succeeded", "failed"]);
  assertEquals(await standingOf(sql, driver), [4_000, 0, 4_000]);
});

workerTest("a refund gives back part of a payment at MTN", async (worker) => {
  const { sql } = worker;
  await using momo = startFakeMomo();
  configure(momo);
  const driver = await openWallet(sql);
  const payment = await create(sql, { to: driver });
  await settle(worker);

  const given = await refund(sql, payment.id, 400);
  await settle(worker);

  assertEquals(await statusOf(sql, given.id), "succeeded");
  assertEquals([(await standingOf(sql, driver))[0], momo.books.balance("RWF")], [600, 600]);
});

workerTest("a card payment is the payer's to confirm, and is booked when it is", async (worker) => {
  const { sql, run } = worker;
  await using stripe = startFakeStripe();
  configure({ host: stripe.host, settings: { ...stripe.settings, MTN_MOMO_TARGET_ENVIRONMENT: "" } });
  const driver = await openWallet(sql);
  const payment = await create(sql, { to: driver, method: "card" });
  await settle(worker, 1);
  const [row] = await sql`select next_action from public.transactions where id = ${payment.id}`;

  stripe.confirm([...stripe.objects.intents.keys()][0]!);
  await passTime(sql);
  await run(sources);

  assertEquals(row!.next_action.type, "confirm_card");
  assertEquals([await statusOf(sql, payment.id), (await standingOf(sql, driver))[0]], ["succeeded", 1_000]);
});

workerTest("any number of runs at once ask for each payment once", async ({ sql, run }) => {
  await using momo = startFakeMomo({ latencyMs: 5 });
  configure(momo);
  const driver = await openWallet(sql);
  for (let count = 0; count < 40; count++) await create(sql, { to: driver });
  await passTime(sql);

  await Promise.all(Array.from({ length: 4 }, () => run(sources)));

  assertEquals(requestsOf(momo).length, 40);
  assertEquals(momo.books.entries.size, 40);
});
