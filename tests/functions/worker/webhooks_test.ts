import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Sql } from "postgres";
import type { RunReport } from "shared/worker/drain.ts";
import type { ClaimedSource } from "shared/worker/source.ts";
import { repeatedSource } from "../../../supabase/functions/worker/repeated_source.ts";
import { webhooks } from "../../../supabase/functions/worker/webhooks.ts";
import { untilReadable } from "../../sql/events/events.ts";
import { create, signal } from "../../sql/payments/payments.ts";
import { openWallet } from "../../sql/wallet/wallets.ts";
import {
  createEndpoint,
  deliveriesOf,
  endLeases,
  type Endpoint,
  endpointOf,
  makeDue,
  payment,
  recordEvent,
} from "../../sql/webhooks/webhooks.ts";
import type { FakeProvider, Reaction } from "../../support/fake_providers/fake_provider.ts";
import { useSettings } from "../../support/settings.ts";
import { startReceiver, verified } from "../../support/webhook_receiver.ts";
import { type Worker, workerTest } from "./worker.ts";
import { until } from "../../support/until.ts";

/** What is not answered is given up sooner here. */
const TIMEOUT_MS = 500;

/** An endpoint at a receiver that our `fetch` may reach. */
async function endpointAt(sql: Sql, receiver: FakeProvider, ...others: FakeProvider[]): Promise<Endpoint> {
  useSettings({ OUTBOUND_ALLOWED_HOSTS: [receiver, ...others].map(({ host }) => host).join(",") });
  return await createEndpoint(sql, { url: `${receiver.url}/hook` });
}

/** Fans out what has happened and posts what is due. */
async function work({ sql, run }: Worker): Promise<RunReport> {
  await untilReadable(sql);
  await run((call) => [repeatedSource(call, "run_subscriptions")]);
  return await run((call) => [webhooks(call, { timeoutMs: TIMEOUT_MS })]);
}

workerTest("an event of a payment is posted once, as Standard Webhooks' library verifies", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  const { secret } = await endpointAt(sql, receiver);
  const data = payment({ description: "Umugati \u2615 \u{1f6b2}" });
  const eventId = await recordEvent(sql, "payment.succeeded", data);

  const report = await work(worker);
  await work(worker);

  const [request] = receiver.requests;
  const { id, body } = verified(request!, secret);
  assertEquals([id, body.type, body.data], [eventId, "payment.succeeded", data]);
  assertEquals(new Date(body.timestamp).toISOString(), body.timestamp);
  assertEquals(
    [request!.method, request!.path, request!.headers.get("content-type"), receiver.requests.length],
    ["POST", "/hook", "application/json", 1],
  );
  assertEquals([report.sources.webhooks!.done, report.sources.webhooks!.failed], [1, 0]);
});

workerTest("a payment is told to the platform and to who is paid, without anybody's number", async (worker) => {
  const { sql } = worker;
  await using platform = startReceiver();
  await using merchant = startReceiver();
  const account = await openWallet(sql);
  const [owner] = await sql`select profile_id as id from public.wallet_accounts where id = ${account}`;
  const { secret } = await endpointAt(sql, platform);
  useSettings({ OUTBOUND_ALLOWED_HOSTS: `${platform.host},${merchant.host}` });
  const own = await createEndpoint(sql, {
    url: merchant.url,
    profile_id: owner!.id,
    event_types: ["payment.succeeded"],
  });

  const { id } = await create(sql, { to: account });
  await signal(sql, id);
  await work(worker);

  const told = platform.requests.map((request) => verified(request, secret).body);
  assertEquals(told.map(({ type, data }) => [type, data.transaction_id]).sort(), [
    ["payment.created", id],
    ["payment.succeeded", id],
  ]);
  const [{ data } = { data: {} as Record<string, unknown> }] = merchant.requests.map((request) =>
    verified(request, own.secret).body
  );
  assertEquals([data.transaction_id, data.amount, "profile_id" in data, merchant.requests.length], [
    id,
    1_000,
    false,
    1,
  ]);
  assertEquals(JSON.stringify([told, data]).includes("788999123"), false);
});

workerTest("no retry is due before its time, and each carries the same id and its own time", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  receiver.next({ status: 500 }, { status: 503 });
  const { secret } = await endpointAt(sql, receiver);
  const eventId = await recordEvent(sql);

  for (let attempt = 0; attempt < 3; attempt++) {
    await work(worker);
    await work(worker);
    await makeDue(sql);
  }

  const messages = receiver.requests.map((request) => verified(request, secret));
  assertEquals(messages.map(({ id }) => id), [eventId, eventId, eventId]);
  assertEquals(new Set(messages.map(({ body }) => JSON.stringify(body))).size, 1);
  assert(messages.every(({ timestamp }) => Math.abs(timestamp - Date.now() / 1_000) < 60));
});

const NO_SUCCESS: [Reaction, status: number | null, error: string | null][] = [
  [{ status: 500 }, 500, null],
  [{ status: 404 }, 404, null],
  [Response.redirect("http://127.0.0.1:1/", 307), 307, null],
  ["silence", null, "timeout"],
  ["stalled", null, "timeout"],
  ["close", null, "connection_lost"],
  ["noise", null, "connection_lost"],
];

workerTest("a receiver that fails in whatever way gets every event when it is well again", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  const endpoint = await endpointAt(sql, receiver);

  for (const [reaction, status, error] of NO_SUCCESS) {
    await recordEvent(sql);
    receiver.next(reaction);
    await work(worker);
    const [waiting] = await sql`select last_status, last_error from public.webhook_deliveries`;
    assertEquals([reaction, waiting!.last_status, waiting!.last_error], [reaction, status, error]);
    await makeDue(sql);
    await work(worker);
  }

  const states = (await deliveriesOf(sql, endpoint)).map(({ state, attempt_count }) => [state, attempt_count]);
  assertEquals(states, NO_SUCCESS.map(() => ["delivered", 2]));
});

workerTest("a redirect is not followed", async (worker) => {
  const { sql } = worker;
  await using elsewhere = startReceiver();
  await using receiver = startReceiver();
  receiver.next(Response.redirect(`${elsewhere.url}/`, 302));
  await endpointAt(sql, receiver, elsewhere);
  await recordEvent(sql);

  await work(worker);

  assertEquals([receiver.requests.length, elsewhere.requests.length], [1, 0]);
});

workerTest("an answer that does not end is not read to its end, and is an answer", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  receiver.next("endless", new Response("\u0000\u00e9".repeat(100_000), { status: 500 }));
  const endpoint = await endpointAt(sql, receiver);
  await recordEvent(sql);
  await work(worker);
  await recordEvent(sql);
  await work(worker);

  const [endless, long] = await deliveriesOf(sql, endpoint);
  assertEquals([endless!.state, endless!.last_answer], ["delivered", " ".repeat(1_000)]);
  assertEquals([long!.state, long!.last_answer!.slice(0, 3)], ["waiting", "\u00e9\u00e9\u00e9"]);
});

workerTest("410 ends it: what else waits is not posted", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  receiver.next({ status: 410 });
  const endpoint = await endpointAt(sql, receiver);
  await recordEvent(sql);
  await work(worker);
  await recordEvent(sql);

  await work(worker);

  const { status, disabled_reason } = await endpointOf(sql, endpoint);
  assertEquals([receiver.requests.length, status, disabled_reason], [1, "disabled", "gone"]);
});

workerTest("a receiver that asks to be spared is, for as long as it says", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  receiver.next(new Response("slow down", { status: 429, headers: { "retry-after": "900" } }));
  const endpoint = await endpointAt(sql, receiver);
  await recordEvent(sql);
  await work(worker);
  await recordEvent(sql);

  await work(worker);

  const [row] = await sql`
    select extract(epoch from paused_until - now()) between 840 and 900 as is_paused
    from public.webhook_endpoints where id = ${endpoint.id}`;
  assertEquals([receiver.requests.length, row!.is_paused], [1, true]);
});

workerTest(
  "while a secret is rotated, a receiver with the old and one with the new secret both verify",
  async (worker) => {
    const { sql } = worker;
    await using receiver = startReceiver();
    const endpoint = await endpointAt(sql, receiver);
    const rotated = await sql`select public.rotate_webhook_secret(${endpoint.id}) ->> 'secret' as secret`;
    const next: string = rotated[0]!.secret;
    const eventId = await recordEvent(sql);
    await work(worker);
    await sql`update private.webhook_secrets set expires_at = now() where expires_at is not null`;
    await recordEvent(sql);
    await work(worker);

    const [during, after] = receiver.requests;
    assertEquals([verified(during!, endpoint.secret).id, verified(during!, next).id], [eventId, eventId]);
    assertEquals(during!.headers.get("webhook-signature")!.split(" ").length, 2);
    verified(after!, next);
    assertThrows(() => verified(after!, endpoint.secret));
  },
);

workerTest("a private address that is not on the list is not called, whatever was registered", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  const endpoint = await endpointAt(sql, receiver);
  useSettings({ OUTBOUND_ALLOWED_HOSTS: "hooks.example.com" });
  await recordEvent(sql);

  await work(worker);

  const [{ last_error } = { last_error: null }] = await deliveriesOf(sql, endpoint);
  assertEquals([receiver.requests.length, last_error], [0, "address_refused"]);
});

workerTest("a worker that dies between the post and its report posts again, with the same id", async (worker) => {
  const { sql, run } = worker;
  await using receiver = startReceiver();
  const { secret, ...endpoint } = await endpointAt(sql, receiver);
  const eventId = await recordEvent(sql);
  await untilReadable(sql);
  await run((call) => [repeatedSource(call, "run_subscriptions")]);

  await run((call) => [dyingAfterwards(webhooks(call))]);
  const meanwhile = await work(worker);
  await endLeases(sql);
  await work(worker);

  assertEquals(meanwhile.sources.webhooks!.done, 0);
  assertEquals(receiver.requests.map((request) => verified(request, secret).id), [eventId, eventId]);
  const deliveries = await deliveriesOf(sql, { ...endpoint, secret });
  assertEquals(deliveries.map(({ state, attempt_count }) => [state, attempt_count]), [["delivered", 2]]);
});

workerTest(
  "a worker that is killed while it posts has lost nothing: the event comes again, with the same id",
  async (worker) => {
    const { sql, run, settings } = worker;
    await using receiver = startReceiver();
    const { secret, ...endpoint } = await endpointAt(sql, receiver);
    const eventId = await recordEvent(sql);
    await untilReadable(sql);
    await run((call) => [repeatedSource(call, "run_subscriptions")]);

    receiver.next("silence");
    await startUntil(() => receiver.requests.length > 0, { ...settings, OUTBOUND_ALLOWED_HOSTS: receiver.host });
    const [left] = await deliveriesOf(sql, { ...endpoint, secret });
    await endLeases(sql);
    await work(worker);

    assertEquals([left!.state, left!.attempt_count], ["sending", 1]);
    assertEquals(receiver.requests.map((request) => verified(request, secret).id), [eventId, eventId]);
  },
);

workerTest("a slow receiver keeps no other waiting", async (worker) => {
  const { sql, run, request } = worker;
  const slowPosts: number[] = [];
  const enough = new AbortController();
  await using slow = startReceiver();
  await using fast = startReceiver(() => {
    if (slowPosts.push(slow.requests.length) === 60) enough.abort();
  });
  slow.next(...Array.from({ length: 100 }, (): Reaction => "silence"));
  await endpointAt(sql, slow);
  await endpointAt(sql, fast, slow);
  for (let count = 0; count < 60; count++) await recordEvent(sql);
  await untilReadable(sql);
  await run((call) => [repeatedSource(call, "run_subscriptions")]);

  const answer = await request((call) => [webhooks(call)], "", { signal: enough.signal });

  // The slow one holds the four posts that it was given at first, and not one more while the others go on.
  assertEquals([slowPosts.length, slowPosts.at(-1), (await answer.json()).ended], [60, 4, "stopped"]);
});

workerTest(
  "four runs at once lose nothing, mix nothing up and press no endpoint, whatever receivers do",
  async (worker) => {
    const { sql, run } = worker;
    let [busy, mostBusy] = [0, 0];
    await using one = startReceiver();
    await using two = startReceiver(async () => {
      mostBusy = Math.max(mostBusy, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 5));
      busy--;
    });
    const endpoints = [await endpointAt(sql, one), await endpointAt(sql, two, one)];
    one.next(
      ...Array.from({ length: 40 }, (_, n): Reaction => n % 3 === 0 ? { status: 500 } : n % 7 === 0 ? "close" : "well"),
    );
    const events: string[] = [];
    for (let count = 0; count < 60; count++) events.push(await recordEvent(sql));
    await untilReadable(sql);
    await run((call) => [repeatedSource(call, "run_subscriptions")]);

    await until(async () => {
      await Promise.all(Array.from({ length: 4 }, () => run((call) => [webhooks(call, { timeoutMs: TIMEOUT_MS })])));
      await makeDue(sql);
      return (await sql`select from public.webhook_deliveries`).length === 0;
    }, "every delivery has ended");

    for (const [index, endpoint] of endpoints.entries()) {
      const receiver = [one, two][index]!;
      const deliveries = await deliveriesOf(sql, endpoint);
      assertEquals(
        deliveries.map(({ event_id, state }) => [event_id, state]).sort(),
        events.map((id) => [id, "delivered"]).sort(),
      );
      assertEquals(new Set(receiver.requests.map((request) => verified(request, endpoint.secret).id)), new Set(events));
      const attempts = deliveries.reduce((sum, { attempt_count }) => sum + attempt_count, 0);
      assertEquals(receiver.requests.length, attempts);
    }
    assert(mostBusy > 1 && mostBusy <= 8, `${mostBusy} posts at once`);
  },
);

workerTest("no log line holds a secret, a signature or what was told", async (worker) => {
  const { sql, log } = worker;
  await using receiver = startReceiver();
  receiver.next({ status: 500 });
  await endpointAt(sql, receiver);
  await recordEvent(sql, "payment.succeeded", payment({ description: "for Jean" }));

  await work(worker);

  assertEquals(log.raw.filter((line) => /whsec_|v1,|Jean|\/hook/.test(line)), []);
});

/** Starts a worker in a process of its own and kills it as soon as that is so. */
async function startUntil(isSo: () => boolean, env: Record<string, string>): Promise<void> {
  const script = fromFileUrl(new URL("./webhooks_process.ts", import.meta.url));
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script],
    env,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  await until(() => isSo() || hasEnded, "the worker is where it is to be killed");
  child.kill("SIGKILL");
  await child.status;
}

/** The source of a process that ends when everything is posted and nothing reported. */
function dyingAfterwards<Item>(source: ClaimedSource<Item>): ClaimedSource<Item> {
  const nothing = () => Promise.resolve(0);
  return { ...source, complete: nothing, fail: nothing, release: nothing };
}
