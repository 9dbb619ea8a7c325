import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { serviceJobs } from "../../../supabase/functions/worker/service_jobs.ts";
import { beat, register } from "../../sql/services/services.ts";
import type { FakeProvider, Reaction } from "../../support/fake_providers/fake_provider.ts";
import { useSettings } from "../../support/settings.ts";
import { startReceiver, verified } from "../../support/webhook_receiver.ts";
import { type Worker, workerTest } from "./worker.ts";

/** A service `rides` at the receiver that does jobs of the type `rides.match`; gives its secret. */
async function serviceAt(sql: Sql, receiver: FakeProvider): Promise<string> {
  useSettings({ OUTBOUND_ALLOWED_HOSTS: receiver.host });
  await register(sql, { endpoint: `${receiver.url}/api/` });
  await sql`select public.handle_jobs_by_service('rides.match', 'rides', '/jobs/match', 'Finds drivers', timeout_seconds => 10)`;
  const [row] = await sql`select public.rotate_service_secret('rides') as secret`;
  return row!.secret;
}

async function schedule(sql: Sql): Promise<string> {
  const [row] = await sql`select job_id from public.schedule_job('rides.match', 'match 7', '{"trip": 7}')`;
  return row!.job_id;
}

const work = ({ run }: Worker) => run((call) => [serviceJobs(call)]);

async function jobOf(sql: Sql): Promise<{ state: string; attempt_count: number; result: unknown; last_error: string }> {
  const [row] = await sql`select state, attempt_count, result, last_error from public.background_jobs`;
  return row as never;
}

async function makeDue(sql: Sql): Promise<void> {
  await sql`update public.background_jobs set scheduled_at = now() where state = 'scheduled'`;
  await sql`select public.maintain_jobs()`;
}

workerTest(
  "a job is posted once, as Standard Webhooks' library verifies, and its answer is the result",
  async (worker) => {
    const { sql } = worker;
    await using receiver = startReceiver();
    const secret = await serviceAt(sql, receiver);
    receiver.next(Response.json({ driver: 3 }));
    const id = await schedule(sql);

    await work(worker);
    await work(worker);

    const [request] = receiver.requests;
    const received = verified(request!, secret) as unknown as { id: string; body: Record<string, unknown> };
    assertEquals([request!.path, received.id, request!.headers.get("idempotency-key")], [
      "/api/jobs/match",
      `${id}:1`,
      `${id}:1`,
    ]);
    const { job_id, payload, attempt_count, job_type } = received.body;
    assertEquals([job_id, payload, attempt_count, job_type], [id, { trip: 7 }, 1, "rides.match"]);
    assertEquals(request!.headers.get("x-correlation-id"), id);
    const [version, trace] = request!.headers.get("traceparent")!.split("-");
    assertEquals([version, trace], ["00", id.replaceAll("-", "")]);
    const { state, result } = await jobOf(sql);
    assertEquals([state, result, receiver.requests.length], ["succeeded", { driver: 3 }, 1]);
  },
);

const AGAIN: Reaction[] = [{ status: 500 }, { status: 429 }, { status: 408 }, { status: 302 }, "close", "noise"];

workerTest("what may get better is tried again, each attempt under its own key", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  const secret = await serviceAt(sql, receiver);
  receiver.next(...AGAIN, Response.json({}));
  const id = await schedule(sql);

  for (const _ of AGAIN) {
    await work(worker);
    assertEquals((await jobOf(sql)).state, "scheduled");
    await makeDue(sql);
  }
  await work(worker);

  const keys = receiver.requests.map((request) => verified(request, secret).id);
  assertEquals(keys, [...AGAIN, "well"].map((_, index) => `${id}:${index + 1}`));
  assertEquals((await jobOf(sql)).state, "succeeded");
});

workerTest("a service that asks to be spared is, and one that refuses is not asked again", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  await serviceAt(sql, receiver);
  receiver.next(
    new Response("busy", { status: 503, headers: { "retry-after": "7200" } }),
    new Response("no such trip\u0000", { status: 422 }),
  );
  await schedule(sql);
  await work(worker);
  const [waiting] =
    await sql`select scheduled_at > now() + interval '119 minutes' as waits from public.background_jobs`;
  await makeDue(sql);

  await work(worker);

  const { state, attempt_count, last_error } = await jobOf(sql);
  assertEquals([waiting!.waits, state, attempt_count, last_error], [true, "failed", 2, "HTTP 422 no such trip"]);
});

workerTest("202 leaves the job to the service, which ends it with its lease", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  const secret = await serviceAt(sql, receiver);
  receiver.next({ status: 202 });
  await schedule(sql);
  await work(worker);
  const { body } = verified(receiver.requests[0]!, secret) as unknown as {
    body: { job_id: string; lease_token: number };
  };
  const [leased] =
    await sql`select state, lease_until = started_at + interval '10 seconds' as to_the_end from public.background_jobs`;
  assertEquals([leased!.state, leased!.to_the_end], ["running", true]);

  await sql`select public.complete_job(${body.job_id}, ${body.lease_token}, '{"driver": 4}')`;

  const { state, result } = await jobOf(sql);
  assertEquals([state, result], ["succeeded", { driver: 4 }]);
});

workerTest("a 202 that is never followed up is an attempt that failed", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  await serviceAt(sql, receiver);
  receiver.next({ status: 202 });
  await schedule(sql);
  await work(worker);
  await sql`update public.background_jobs set lease_until = now() - interval '1 second', started_at = now() - interval '11 seconds'`;

  await sql`select public.maintain_jobs()`;

  assertEquals([(await jobOf(sql)).state, (await jobOf(sql)).last_error], ["scheduled", "timed out"]);
});

workerTest("jobs of a service without a usable instance wait, and lose no attempt", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  await serviceAt(sql, receiver);
  await beat(sql, "critical");
  await schedule(sql);

  await work(worker);
  assertEquals([(await jobOf(sql)).state, (await jobOf(sql)).attempt_count, receiver.requests.length], ["ready", 0, 0]);
  await beat(sql);
  receiver.next(Response.json(null));
  await work(worker);

  assertEquals((await jobOf(sql)).state, "succeeded");
});

workerTest("an answer that no column can hold, or that is huge, ends the job without a result", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  await serviceAt(sql, receiver);
  for (const answer of ['{"a": "\\u0000"}', '"\\ud800"', JSON.stringify("x".repeat(100_000)), "not JSON"]) {
    receiver.next(new Response(answer));
    await schedule(sql);
    await work(worker);
    assertEquals([(await jobOf(sql)).state, (await jobOf(sql)).result], ["succeeded", null]);
    await sql`delete from public.background_jobs`;
  }
});

workerTest("after a rotation both secrets sign, after a leak only the new one", async (worker) => {
  const { sql } = worker;
  await using receiver = startReceiver();
  const former = await serviceAt(sql, receiver);
  const rotate = async (overlap: number): Promise<string> => {
    const [row] = await sql`select public.rotate_service_secret('rides', ${overlap}) as secret`;
    return row!.secret;
  };

  const next = await rotate(60);
  await schedule(sql);
  await work(worker);
  const signatures = (index: number) => receiver.requests[index]!.headers.get("webhook-signature")!.split(" ").length;
  assert(verified(receiver.requests[0]!, former) && verified(receiver.requests[0]!, next));
  await rotate(0);
  await schedule(sql);
  await work(worker);

  assertEquals([signatures(0), signatures(1)], [2, 1]);
});
