import { assertEquals } from "@std/assert";
import { callAs, createScene, heal, moves, parked, run, runAll, type Scene, subscription } from "./subscriptions.ts";

const BAD = { aggregate_id: "bad", payload: { poison: true } };

/** A scene in which the stream `bad` is parked: its first event failed. */
function parkedTest(name: string, policy: "park_event" | "park_stream", body: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    const scene = await createScene(`, on_failure => '${policy}', max_attempts => 1`);
    await scene.happen(BAD, { aggregate_id: "bad" }, {});
    await runAll(scene.sql);
    await body(scene);
    await scene.sql.end();
  });
}

parkedTest(
  "an event that was parked alone is given to the handler again on request, after those that passed it",
  "park_event",
  async ({ sql }) => {
    assertEquals([await moves(sql), await parked(sql)], [["bad2", "t11"], ["bad1"]]);
    await heal(sql);

    assertEquals(await runAll(sql), { done: 0, failed: 0 });
    assertEquals(await callAs(sql, "service_role", "public.replay_parked_events('moves')"), 1);
    assertEquals(await runAll(sql), { done: 1, failed: 0 });

    assertEquals([await moves(sql), await parked(sql)], [["bad2", "t11", "bad1"], []]);
  },
);

parkedTest("an event that fails again stays parked, and says how often and why", "park_event", async ({ sql }) => {
  await callAs(sql, "service_role", "public.replay_parked_events('moves')");

  assertEquals(await runAll(sql), { done: 0, failed: 1 });

  const [row] = await sql`select attempt_count, last_error, replay_from from public.event_parked`;
  assertEquals({ ...row }, { attempt_count: 2, last_error: "P0001 poisoned", replay_from: null });
});

parkedTest(
  "under park_stream a stream is replayed in its order, with what came in the meantime, and flows again",
  "park_stream",
  async ({ sql, happen }) => {
    assertEquals(await parked(sql), ["bad1", "bad2"]);
    await heal(sql);

    assertEquals(await callAs(sql, "service_role", "public.replay_parked_events('moves')"), 2);
    await happen({ aggregate_id: "bad" });
    await runAll(sql);
    await happen({ aggregate_id: "bad" });
    await runAll(sql);

    assertEquals([await moves(sql), await parked(sql)], [["t11", "bad1", "bad2", "bad3", "bad4"], []]);
  },
);

parkedTest(
  "a stream flows again only when all of it is through, however many runs that takes",
  "park_stream",
  async ({ sql, happen }) => {
    await heal(sql);
    await callAs(sql, "service_role", "public.replay_parked_events('moves')");
    await run(sql, 1);
    await happen({ aggregate_id: "bad" });
    await runAll(sql);

    assertEquals([await moves(sql), await parked(sql)], [["t11", "bad1", "bad2", "bad3"], []]);
  },
);

parkedTest(
  "under park_stream nothing of a stream overtakes an event that fails again",
  "park_stream",
  async ({ sql }) => {
    await callAs(sql, "service_role", "public.replay_parked_events('moves')");

    assertEquals(await runAll(sql), { done: 0, failed: 1 });

    assertEquals([await moves(sql), await parked(sql)], [["t11"], ["bad1", "bad2"]]);
    assertEquals((await sql`select from public.event_parked where replay_from is not null`).length, 0);
  },
);

parkedTest("what one aggregate has parked can be replayed alone", "park_event", async ({ sql, happen }) => {
  await happen({ ...BAD, aggregate_id: "worse" });
  await runAll(sql);
  await heal(sql);

  assertEquals(await callAs(sql, "service_role", "public.replay_parked_events('moves', 'trip', 'worse')"), 1);
  await runAll(sql);

  assertEquals(await parked(sql), ["bad1"]);
});

parkedTest(
  "operators steer subscriptions, and it is audited; other people may not",
  "park_event",
  async ({ sql, happen }) => {
    const steps = [
      "pause_subscription('moves')",
      "resume_subscription('moves')",
      "replay_parked_events('moves')",
      "delete_subscription('moves')",
    ];
    for (const step of steps) {
      const refusal = await callAs(sql, "authenticated", `public.${step}`, false).then(
        () => "done",
        (error) => JSON.parse(error.message).code,
      );
      assertEquals(refusal, "operator_required", step);
    }

    await callAs(sql, "authenticated", "public.pause_subscription('moves')");
    await happen({});
    assertEquals(await runAll(sql), { done: 0, failed: 0 });
    await callAs(sql, "authenticated", "public.resume_subscription('moves')");
    assertEquals(await runAll(sql), { done: 1, failed: 0 });
    await callAs(sql, "authenticated", "public.replay_parked_events('moves')");
    await callAs(sql, "authenticated", "public.delete_subscription('moves')");

    assertEquals([await parked(sql), await subscription(sql)], [[], undefined]);
    const audited =
      await sql`select action from public.system_audit_logs where resource_type = 'event_subscription' order by id`;
    assertEquals(audited.map(({ action }) => action), ["pause", "resume", "replay", "delete"]);
  },
);

parkedTest("a subscription that is not there is refused", "park_event", async ({ sql }) => {
  for (
    const step of [
      "pause_subscription('x')",
      "resume_subscription('x')",
      "replay_parked_events('x')",
      "delete_subscription('x')",
    ]
  ) {
    const refusal = await callAs(sql, "service_role", `public.${step}`).then(
      () => "done",
      (error) => JSON.parse(error.message).code,
    );
    assertEquals(refusal, "subscription_not_found", step);
  }
});
