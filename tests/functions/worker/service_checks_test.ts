import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import type { RunReport } from "shared/worker/drain.ts";
import { serviceChecks } from "../../../supabase/functions/worker/service_checks.ts";
import { register, statusOf } from "../../sql/services/services.ts";
import type { FakeProvider, Reaction } from "../../support/fake_providers/fake_provider.ts";
import { useSettings } from "../../support/settings.ts";
import { startReceiver } from "../../support/webhook_receiver.ts";
import { type Worker, workerTest } from "./worker.ts";

/** What is not answered is given up sooner here. */
const TIMEOUT_MS = 300;

/** Registers a service whose health address our `fetch` may reach. */
async function serviceAt(sql: Sql, receiver: FakeProvider): Promise<void> {
  useSettings({ OUTBOUND_ALLOWED_HOSTS: receiver.host });
  await register(sql, { health_check_url: `${receiver.url}/health` });
}

async function work({ sql, run }: Worker): Promise<RunReport> {
  await sql`update public.service_checks set due_at = now() where leased_until is null`;
  return await run((call) => [serviceChecks(call, { timeoutMs: TIMEOUT_MS })]);
}

async function found(sql: Sql): Promise<unknown[]> {
  const [row] = await sql`select last_status, last_error, failure_count from public.service_checks`;
  return [row!.last_status, row!.last_error, row!.failure_count];
}

workerTest("the worker calls a health address once it is registered, and the service is passing", async (worker) => {
  await using receiver = startReceiver();
  await serviceAt(worker.sql, receiver);

  const report = await work(worker);

  assertEquals(receiver.requests.map(({ method, path }) => [method, path]), [["GET", "/health"]]);
  assertEquals([report.sources.service_checks!.done, await statusOf(worker.sql)], [1, "passing"]);
});

const ILL: [Reaction, status: number | null, error: string | null][] = [
  [{ status: 500 }, 500, null],
  [{ status: 404 }, 404, null],
  [Response.redirect("http://127.0.0.1:1/", 302), 302, null],
  [Response.redirect("http://169.254.169.254/latest/meta-data/", 307), 307, null],
  ["silence", null, "timeout"],
  ["stalled", null, "timeout"],
  ["close", null, "connection_lost"],
  ["noise", null, "connection_lost"],
];

workerTest("a service that is ill in whatever way is found so, and well again when it is", async (worker) => {
  await using receiver = startReceiver();
  await serviceAt(worker.sql, receiver);

  for (const [reaction, status, error] of ILL) {
    receiver.next(reaction);
    await work(worker);
    assertEquals([reaction, ...(await found(worker.sql)).slice(0, 2)], [reaction, status, error]);
  }
  assertEquals([await statusOf(worker.sql), (await found(worker.sql))[2]], ["critical", ILL.length]);
  await work(worker);
  await work(worker);

  assertEquals([await statusOf(worker.sql), (await found(worker.sql))[2]], ["passing", 0]);
});

workerTest("a health address that redirects is not followed, wherever it leads", async (worker) => {
  await using elsewhere = startReceiver();
  await using receiver = startReceiver();
  receiver.next(Response.redirect(`${elsewhere.url}/`, 302));
  await serviceAt(worker.sql, receiver);
  useSettings({ OUTBOUND_ALLOWED_HOSTS: `${receiver.host},${elsewhere.host}` });

  await work(worker);

  assertEquals([receiver.requests.length, elsewhere.requests.length], [1, 0]);
  assertEquals(await statusOf(worker.sql), "critical");
});

workerTest("an answer that does not end, or is huge, is not read to its end", async (worker) => {
  await using receiver = startReceiver();
  receiver.next("endless", new Response("x".repeat(5_000_000)));
  await serviceAt(worker.sql, receiver);

  await work(worker);
  assertEquals([await statusOf(worker.sql), ...await found(worker.sql)], ["passing", 200, null, 0]);
  await work(worker);

  assertEquals(await found(worker.sql), [200, null, 0]);
});

workerTest("private addresses and hosts that are not on the list are never called", async (worker) => {
  await using receiver = startReceiver();
  const { sql } = worker;
  useSettings({ OUTBOUND_ALLOWED_HOSTS: "rides.example.com" });
  const addresses = [`${receiver.url}/`, "http://169.254.169.254/latest/", "https://[::1]/", "https://10.0.0.1/health"];
  for (const [index, health_check_url] of addresses.entries()) {
    await register(sql, { instance_id: `i${index}`, health_check_url });
  }

  await work(worker);

  const rows = await sql`select last_error from public.service_checks`;
  assertEquals(rows.map(({ last_error }) => last_error), addresses.map(() => "address_refused"));
  assertEquals(receiver.requests.length, 0);
});

workerTest("slow services do not keep others waiting: all are called in one run, each once", async (worker) => {
  await using slow = startReceiver();
  await using quick = startReceiver();
  const { sql } = worker;
  useSettings({ OUTBOUND_ALLOWED_HOSTS: `${slow.host},${quick.host}` });
  slow.next("silence", "silence", "silence");
  for (const instance_id of ["a", "b", "c"]) {
    await register(sql, { instance_id, health_check_url: `${slow.url}/` });
    await register(sql, { service_name: "maps", instance_id, health_check_url: `${quick.url}/` });
  }

  await work(worker);

  const [row] = await sql`
    select count(*) filter (where status = 'passing')::int as passing, count(*) filter (where status = 'critical')::int as critical
    from public.service_registry`;
  assertEquals([row!.passing, row!.critical, slow.requests.length, quick.requests.length], [3, 3, 3, 3]);
});

workerTest("two runs at once call each address once", async (worker) => {
  await using receiver = startReceiver();
  const { sql, run } = worker;
  useSettings({ OUTBOUND_ALLOWED_HOSTS: receiver.host });
  for (let index = 0; index < 12; index++) {
    await register(sql, { instance_id: `i${index}`, health_check_url: `${receiver.url}/${index}` });
  }

  await Promise.all([1, 2].map(() => run((call) => [serviceChecks(call)])));

  assertEquals(new Set(receiver.requests.map(({ path }) => path)).size, 12);
  assertEquals(receiver.requests.length, 12);
});
