import { assertEquals } from "@std/assert";
import { AS_SERVICE, asUser, post, serviceTest, startService } from "../../stack/rpc/service.ts";
import { untilSomebodyWaits } from "./waiting.ts";

/** What the work is asked to do, beside leaving its effect. */
interface Work {
  refuse?: string;
  details?: Record<string, unknown>;
  raise?: string;
  answer_status?: number;
  wait_for_lock?: number;
  amount?: number;
}

const { fetch, database: { sql } } = await startService(`
  create table public.effects (key text not null);

  create or replace function private.problem_catalog() returns table (code text, status integer, title text)
  language sql as $$
    values ('insufficient_funds', 409, 'Too little'), ('payment_pending', 409, 'Come again'),
      ('idempotency_key_in_use', 409, ''), ('idempotency_key_missing', 400, ''), ('idempotency_key_reused', 422, ''),
      ('invalid_argument', 422, ''), ('rate_limited', 429, ''), ('provider_unavailable', 503, '')
  $$;

  create function private.work(request jsonb) returns jsonb language plpgsql as $$
  begin
    perform pg_advisory_xact_lock_shared((request ->> 'wait_for_lock')::bigint);
    insert into public.effects (key) values (request ->> 'key');
    if request ? 'refuse' then
      perform private.refuse(request ->> 'refuse', coalesce(request -> 'details', '{}'));
    end if;
    if request ? 'raise' then
      raise 'broken' using errcode = request ->> 'raise';
    end if;
    if request ? 'answer_status' then
      perform set_config('response.status', request ->> 'answer_status', true);
    end if;
    return jsonb_build_object('effect', (select count(*) from public.effects where key = request ->> 'key'));
  end $$;

  create function public.pay(idempotency_key text, request jsonb) returns jsonb language plpgsql security definer as $$
  begin
    return private.idempotent('POST /pay', idempotency_key, request, 'private.work(jsonb)'::regprocedure);
  end $$;

  create function public.refund(idempotency_key text, request jsonb) returns jsonb language plpgsql security definer as $$
  begin
    return private.idempotent('POST /refund', idempotency_key, request, 'private.work(jsonb)'::regprocedure);
  end $$;
`);

const RIDER = await asUser({ sub: "6f1c7c2e-8f0e-4c5b-9d5e-250788000000" });
const DRIVER = await asUser({ sub: "6f1c7c2e-8f0e-4c5b-9d5e-250788000001" });

function pay(key: string | null, work: Work = {}, caller = RIDER, route = "pay"): Promise<Response> {
  return fetch(post(route, { idempotency_key: key, request: { key, ...work } }, caller));
}

/** Status, whether it is a replay, and the body or its code. */
async function seen(answer: Response | Promise<Response>): Promise<[number, string, unknown]> {
  const { status, headers } = await answer;
  const body = await (await answer).json();
  return [status, headers.get("idempotent-replayed") ? "replayed" : "first", body.code ?? body];
}

async function effectsOf(key: string): Promise<number> {
  const [row] = await sql`select count(*)::int as count from public.effects where key = ${key}`;
  return row!.count;
}

async function isStored(key: string): Promise<boolean> {
  return (await sql`select from public.idempotency_keys where key = ${key}`).length > 0;
}

serviceTest("idempotent() runs the work and gives its answer", async () => {
  assertEquals(await seen(pay("first")), [200, "first", { effect: 1 }]);
});

serviceTest("idempotent() gives the stored status and body again, and says that it does", async () => {
  const first = await pay("again", { answer_status: 201 });
  const second = await pay("again", { answer_status: 201 });

  assertEquals([first.status, second.status], [201, 201]);
  assertEquals([first.headers.get("idempotent-replayed"), second.headers.get("idempotent-replayed")], [null, "true"]);
  assertEquals(await second.text(), await first.text());
  assertEquals(await effectsOf("again"), 1);
});

serviceTest("idempotent() knows the same request under other white space and order of keys", async () => {
  const send = (request: string) => fetch(post("pay", `{"idempotency_key":"spaced","request":${request}}`, RIDER));
  await (await send('{"key":"spaced","amount":700}')).body?.cancel();

  assertEquals(await seen(send('{ "amount" : 700,\n "key": "spaced" }')), [200, "replayed", { effect: 1 }]);
});

serviceTest("idempotent() refuses a key that was used with another request", async () => {
  await (await pay("reused", { amount: 700 })).body?.cancel();

  assertEquals(await seen(pay("reused", { amount: 701 })), [422, "first", "idempotency_key_reused"]);
  assertEquals(await seen(pay("reused", { amount: 700 })), [200, "replayed", { effect: 1 }]);
});

serviceTest("idempotent() answers 409 and Retry-After while the first request runs", async () => {
  const gate = await sql.reserve();
  await gate`select pg_advisory_lock(250788)`;
  const first = pay("running", { wait_for_lock: 250788 });
  await untilSomebodyWaits(gate);

  const second = await pay("running", { wait_for_lock: 250788 });
  assertEquals(second.headers.get("retry-after"), "1");
  assertEquals(await seen(second), [409, "first", "idempotency_key_in_use"]);

  await gate`select pg_advisory_unlock(250788)`;
  gate.release();
  assertEquals(await seen(first), [200, "first", { effect: 1 }]);
  assertEquals(await seen(pay("running", { wait_for_lock: 250788 })), [200, "replayed", { effect: 1 }]);
});

serviceTest("idempotent() runs the work once for twenty callers at the same moment", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => pay("crowd").then(seen)));

  assertEquals(await effectsOf("crowd"), 1);
  assertEquals(answers.filter(([status, kind]) => status === 200 && kind === "first").length, 1);
  assertEquals(new Set(answers.map(([status]) => status)).isSubsetOf(new Set([200, 409])), true);
});

serviceTest("idempotent() keeps a refusal as the answer, without what the work had done", async () => {
  const refusal = { refuse: "insufficient_funds", details: { available: 300 } };
  const first = await pay("poor", refusal);
  const second = await pay("poor", refusal);

  assertEquals([first.status, second.status], [409, 409]);
  assertEquals([first.headers.get("idempotent-replayed"), second.headers.get("idempotent-replayed")], [null, "true"]);
  assertEquals(await first.json(), {
    code: "insufficient_funds",
    message: "Too little",
    details: '{"available": 300}',
    hint: null,
  });
  assertEquals((await second.json()).code, "insufficient_funds");
  assertEquals(await effectsOf("poor"), 0);
});

for (
  const refusal of [
    { refuse: "rate_limited" },
    { refuse: "provider_unavailable" },
    { refuse: "payment_pending", details: { retry_after: 5 } },
  ]
) {
  serviceTest(`idempotent() keeps no answer that waiting may heal: ${refusal.refuse}`, async () => {
    const key = `heals ${refusal.refuse}`;

    const answer = await pay(key, refusal);

    assertEquals(answer.headers.get("retry-after"), refusal.details ? "5" : answer.status === 503 ? "1" : null);
    assertEquals((await answer.json()).code, refusal.refuse);
    assertEquals([await effectsOf(key), await isStored(key)], [0, false]);
    assertEquals((await pay(key, {})).status, 200);
  });
}

for (const state of ["23505", "23514", "40P01", "40001", "P0001", "XX000"]) {
  serviceTest(`idempotent() lets an error through and keeps nothing of it: ${state}`, async () => {
    const key = `broken ${state}`;

    const [, , code] = await seen(pay(key, { raise: state }));

    assertEquals(code, state);
    assertEquals([await effectsOf(key), await isStored(key)], [0, false]);
  });
}

serviceTest("idempotent() takes an expired key for a new one", async () => {
  await (await pay("expired", { amount: 700 })).body?.cancel();
  await sql`update public.idempotency_keys set expires_at = now() where key = 'expired'`;

  assertEquals(await seen(pay("expired", { amount: 800 })), [200, "first", { effect: 2 }]);
  assertEquals(await seen(pay("expired", { amount: 800 })), [200, "replayed", { effect: 2 }]);
  const [row] = await sql`select expires_at > now() + interval '23 hours' as is_fresh
    from public.idempotency_keys where key = 'expired'`;
  assertEquals(row!.is_fresh, true);
});

serviceTest("one key of two callers, or on two routes, is two keys", async () => {
  const server = (name: string) => ({ ...AS_SERVICE, "x-actor": name });
  const calls: [HeadersInit, string][] = [
    [RIDER, "pay"],
    [DRIVER, "pay"],
    [RIDER, "refund"],
    [AS_SERVICE, "pay"],
    [server("worker"), "pay"],
    [server("operations"), "pay"],
  ];

  for (const [index, [caller, route]] of calls.entries()) {
    assertEquals(await seen(pay("shared", {}, caller, route)), [200, "first", { effect: index + 1 }]);
  }
});

serviceTest("a user cannot take a server's name", async () => {
  await (await pay("named", {}, { ...AS_SERVICE, "x-actor": "worker" })).body?.cancel();

  const [, kind] = await seen(pay("named", {}, { ...RIDER, "x-actor": "worker" }));

  assertEquals(kind, "first");
});

serviceTest("idempotent() needs a key of 1 to 255 characters", async () => {
  for (const key of [null, ""]) assertEquals((await seen(pay(key)))[2], "idempotency_key_missing");
  assertEquals((await seen(pay("k".repeat(256))))[2], "invalid_argument");
  assertEquals((await seen(pay("🗝".repeat(255))))[0], 200);
});

serviceTest("idempotent() works for a login without claims, by its role", async () => {
  const rows = await sql.begin((sql) => [
    sql`set local role authenticated`,
    sql`select public.pay('direct', '{"key": "direct"}')`,
    sql`reset role`,
    sql`select caller from public.idempotency_keys where key = 'direct'`,
  ]);

  assertEquals(rows.at(-1)![0]!.caller, "authenticated");
});

serviceTest("stored answers are nobody's to read", async () => {
  for (const role of ["anon", "authenticated", "service_role"]) {
    const code = await sql.begin(async (sql) => {
      await sql.unsafe(`set local role ${role}`);
      await sql`select from public.idempotency_keys`;
    }).then(() => "00000", (error) => error.code);
    assertEquals(code, "42501", role);
  }
});

serviceTest("purge_idempotency_keys() deletes the expired and keeps the rest", async () => {
  for (const key of ["old", "young"]) await (await pay(key)).body?.cancel();
  await sql`update public.idempotency_keys set expires_at = now() - interval '1 second' where key = 'old'`;

  const [row] = await sql`select private.purge_idempotency_keys()::int as count`;

  assertEquals([row!.count, await isStored("old"), await isStored("young")], [1, false, true]);
});
