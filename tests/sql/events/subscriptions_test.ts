import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createScene, happen, heal, moves, parked, run, runAll, type Scene, subscription } from "./subscriptions.ts";

function sceneTest(name: string, registration: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    const scene = await createScene(registration);
    await body(scene);
    await scene.sql.end();
  });
}

sceneTest("a handler is given each event once, in order, a batch at a time", "", async ({ sql, happen }) => {
  await happen({}, {}, { aggregate_id: "t2" });

  assertEquals(await run(sql, 2), { done: 2, failed: 0, more: true });
  assertEquals(await run(sql, 2), { done: 1, failed: 0, more: true });
  assertEquals(await run(sql, 2), { done: 0, failed: 0, more: false });

  assertEquals(await moves(sql), ["t11", "t12", "t21"]);
});

sceneTest("what a handler did and the checkpoint are kept together, or neither is", "", async ({ sql, happen }) => {
  await happen({});

  await sql.begin(async (sql) => {
    await sql`select public.run_subscriptions()`;
    throw "undone";
  }).catch(() => {});
  assertEquals([await moves(sql), (await subscription(sql)).after_position], [[], "0"]);

  await run(sql);
  assertEquals([await moves(sql), (await subscription(sql)).after_position], [["t11"], "1"]);
});

sceneTest(
  "a filter lets through what is wanted, and the checkpoint passes over the rest",
  ", event_types => '{trip.moved}', aggregate_types => '{trip}'",
  async ({ sql, happen }) => {
    await happen(
      { event_type: "trip.parked" },
      {},
      { aggregate_type: "ride" },
      { event_type: "trip.parked" },
    );

    assertEquals(await runAll(sql), { done: 1, failed: 0 });
    assertEquals(await moves(sql), ["t12"]);
    assertEquals((await subscription(sql)).after_position, "4");
  },
);

sceneTest("of a batch that fails, all but the poisoned event go through, each alone", "", async ({ sql, happen }) => {
  await happen({}, { aggregate_id: "bad", payload: { poison: true } }, {});

  assertEquals(await run(sql), { done: 1, failed: 1, more: true });
  assertEquals(await moves(sql), ["t11"]);
  const waiting = await subscription(sql);
  assertEquals([waiting.attempt_count, waiting.last_error], [1, "P0001 poisoned"]);
  assert(waiting.retry_at! > new Date(Date.now() - 60_000));
  assertEquals(await run(sql), { done: 0, failed: 0, more: false });

  assertEquals(await runAll(sql), { done: 1, failed: 4 });
  assertEquals(await moves(sql), ["t11", "t12"]);
  assertEquals(await parked(sql), ["bad1"]);
  const [row] = await sql`select attempt_count, last_error from public.event_parked`;
  assertEquals([row!.attempt_count, row!.last_error], [5, "P0001 poisoned"]);
});

sceneTest(
  "an event that succeeds after failing is not parked, and the next has all its attempts",
  ", max_attempts => 2",
  async ({ sql, happen }) => {
    await happen({ payload: { poison: true } }, { payload: { poison: true } });
    await run(sql);
    await heal(sql);
    await sql`update public.event_subscriptions set retry_at = null, batch_size = 1`;

    await run(sql);

    assertEquals([await moves(sql), await parked(sql)], [["t11"], []]);
    assertEquals((await subscription(sql)).attempt_count, 0);
  },
);

sceneTest(
  "under stop, nothing goes on after an event that failed too often, until somebody resumes",
  ", on_failure => 'stop', max_attempts => 2",
  async ({ sql, happen }) => {
    await happen({}, { payload: { poison: true } }, {});

    assertEquals(await runAll(sql), { done: 1, failed: 2 });
    assertEquals((await subscription(sql)).status, "stopped");
    assertEquals([await moves(sql), await parked(sql)], [["t11"], []]);

    await heal(sql);
    await sql`update public.event_subscriptions set status = 'active', attempt_count = 0`;
    await runAll(sql);
    assertEquals(await moves(sql), ["t11", "t12", "t13"]);
  },
);

sceneTest(
  "under park_stream, what follows a parked event in its stream is parked behind it",
  ", on_failure => 'park_stream', max_attempts => 1",
  async ({ sql, happen }) => {
    await happen({ aggregate_id: "bad", payload: { poison: true } }, { aggregate_id: "bad" }, {});
    await runAll(sql);
    await happen({ aggregate_id: "bad" }, {});
    await runAll(sql);

    assertEquals(await moves(sql), ["t11", "t12"]);
    assertEquals(await parked(sql), ["bad1", "bad2", "bad3"]);
  },
);

sceneTest(
  "what would only fail at the commit fails the event that brought it about",
  ", max_attempts => 1",
  async ({ sql, happen }) => {
    await happen({}, { aggregate_id: "bad", payload: { doubled: true } }, {});

    await runAll(sql);

    assertEquals([await moves(sql), await parked(sql)], [["t11", "t12"], ["bad1"]]);
    assertEquals((await subscription(sql)).last_error?.slice(0, 5), "23505");
  },
);

sceneTest(
  "a batch that is cut off costs none of its events its only attempt; they are tried alone",
  ", max_attempts => 1",
  async ({ sql, happen }) => {
    await happen({}, { aggregate_id: "bad", payload: { slow: true } }, {});
    await sql`set statement_timeout = '300ms'`;

    assertEquals(await run(sql), { done: 0, failed: 1, more: true });
    assertEquals([await moves(sql), await parked(sql)], [[], []]);
    assertEquals((await subscription(sql)).last_error?.slice(0, 5), "57014");

    await runAll(sql);
    assertEquals([await moves(sql), await parked(sql)], [["t11", "t12"], ["bad1"]]);
  },
);

sceneTest(
  "a handler carries on the correlation of its events, if they share one",
  ", batch_size => 2",
  async ({ sql }) => {
    const tell = (correlation: string) =>
      sql.begin(async (sql) => {
        await sql`select set_config('request.headers', ${JSON.stringify({ "x-correlation-id": correlation })}, true)`;
        await sql`select public.append_event('trip', 't1', 'trip.moved', '{}')`;
      });
    for (const correlation of ["tap-1", "tap-1", "tap-2", "tap-3"]) await tell(correlation);
    await happen(sql, { aggregate_id: "last" });

    await runAll(sql);

    const rows = await sql`select correlation_id from public.moves order by number`;
    assertEquals(rows.map(({ correlation_id }) => correlation_id), ["tap-1", "tap-1", null, null, null]);
  },
);

sceneTest(
  "any number of workers at once give each event to each handler once, in order",
  "",
  async ({ sql, url, happen }) => {
    await sql.unsafe(`
    create function private.project_again(events public.event_store[]) returns void language sql as $$
      insert into public.moves (stream, version) select 'again-' || aggregate_id, version from unnest(events) order by "position" $$;
    select private.register_subscription('again', 'private.project_again(public.event_store[])')`).simple();
    await happen(...Array.from({ length: 60 }, (_, index) => ({ aggregate_id: `s${index % 3}-` })));
    const workers = connect(url, { max: 6 });

    await Promise.all(Array.from({ length: 6 }, async () => {
      for (let round = 0; round < 500 && (await moves(sql)).length < 120; round++) {
        await workers`select public.run_subscriptions(7)`;
      }
    }));

    const seen = await moves(sql);
    for (const handler of ["", "again-"]) {
      for (const stream of ["s0-", "s1-", "s2-"]) {
        const expected = Array.from({ length: 20 }, (_, index) => `${handler}${stream}${index + 1}`);
        assertEquals(seen.filter((move) => move.startsWith(handler + stream)), expected);
      }
    }
    await workers.end();
  },
);

sceneTest("a worker passes over what another one is at, and does not wait", "", async ({ sql, url, happen }) => {
  await happen({});
  const other = connect(url);
  await other`set lock_timeout = '2s'`;

  await sql.begin(async (sql) => {
    await sql`select public.run_subscriptions()`;
    assertEquals(await run(other), { done: 0, failed: 0, more: false });
  });

  await other.end();
});

sceneTest("the subscription that has waited longest comes first", "", async ({ sql, happen }) => {
  await sql`select private.register_subscription('again', 'private.project_moves(public.event_store[])')`;
  await happen({}, {}, {});
  await run(sql, 1);
  await run(sql, 1);

  const rows = await sql`select name, after_position from public.event_subscriptions order by name`;
  assertEquals(rows.map(({ after_position }) => after_position), ["1", "1"]);
});

sceneTest("a read model is built anew under a new name, from the start", "", async ({ sql, happen }) => {
  await happen({}, {});
  await runAll(sql);

  await sql`select private.register_subscription('moves-2', 'private.project_moves(public.event_store[])')`;
  await runAll(sql);

  assertEquals(await moves(sql), ["t11", "t12", "t11", "t12"]);
});

sceneTest("a subscription may begin with what is appended from now on", "", async ({ sql, happen }) => {
  await happen({});
  await runAll(sql);
  await sql`select private.register_subscription('later', 'private.project_moves(public.event_store[])', is_from_start => false)`;
  await happen({});
  await runAll(sql);

  assertEquals(await moves(sql), ["t11", "t12", "t12"]);
});

sceneTest("registering again changes how a subscription is served, not where it is", "", async ({ sql, happen }) => {
  await happen({});
  await runAll(sql);
  const [registered] = await sql`
    select after_position, max_attempts, handler
    from private.register_subscription('moves', 'private.project_moves(public.event_store[])', max_attempts => 9)`;

  assertEquals({ ...registered }, { after_position: "1", max_attempts: 9, handler: "private.project_moves" });
});

sceneTest("what is no function of events is no handler", "", async ({ sql }) => {
  const state = await sql`select private.register_subscription('moves', 'private.uuid_v7(timestamptz)')`
    .then(() => "00000", (error) => error.code);

  assertEquals(state, "22023");
});

sceneTest("handlers are given events in their newest shapes", "", async ({ sql, happen }) => {
  await sql.unsafe(`
    create function private.poison(payload jsonb) returns jsonb language sql immutable as $$ select payload || '{"poison": true}' $$;
    select private.register_event_upcaster('trip.moved', 1, 'private.poison(jsonb)')`).simple();
  await happen({}, { schema_version: 2 });

  await run(sql);

  assertEquals((await subscription(sql)).last_error, "P0001 poisoned");
});
