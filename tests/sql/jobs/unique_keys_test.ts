import { assertEquals, assertNotEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { addType, claim, claimOne, complete, fail, jobOf, schedule, stateOf } from "./jobs.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "index");
      await body(sql);
    }),
  );
const TOMORROW = new Date(Date.now() + 86_400_000);
const KEY = { unique_key: "shop-1" };

test("a unique key is one living job's at a time", async (sql) => {
  const first = await schedule(sql, "index", { ...KEY, scheduled_at: TOMORROW, payload: { version: 1 } });

  const second = await schedule(sql, "index", { ...KEY, payload: { version: 2 } });

  assertEquals([second.job_id, second.state, second.is_duplicate], [first.job_id, "scheduled", true]);
  assertEquals((await jobOf(sql, first.job_id)).payload, { version: 1 });
});

test("a unique key is held while the job runs, and free when it has ended", async (sql) => {
  const first = await schedule(sql, "index", KEY);
  const lease = await claimOne(sql, "index");

  const during = await schedule(sql, "index", KEY);
  await complete(sql, lease);
  const after = await schedule(sql, "index", KEY);

  assertEquals([during.job_id, during.state], [first.job_id, "running"]);
  assertEquals([after.is_duplicate, after.job_id === first.job_id], [false, false]);
});

test("another type's unique key is another", async (sql) => {
  await addType(sql, "letter");
  await schedule(sql, "index", KEY);

  assertEquals((await schedule(sql, "letter", KEY)).is_duplicate, false);
});

test("replace gives a waiting job the new payload and time", async (sql) => {
  const first = await schedule(sql, "index", { ...KEY, payload: { version: 1 } });

  const second = await schedule(sql, "index", {
    ...KEY,
    unique_mode: "replace",
    payload: { version: 2 },
    scheduled_at: TOMORROW,
    priority: 0,
    job_name: "again",
  });

  assertEquals([second.job_id, second.state, second.is_duplicate], [first.job_id, "scheduled", false]);
  const { payload, scheduled_at, priority, job_name } = await jobOf(sql, first.job_id);
  assertEquals({ payload, scheduled_at, priority, job_name }, {
    payload: { version: 2 },
    scheduled_at: TOMORROW,
    priority: 0,
    job_name: "again",
  });
  assertEquals(await claim(sql, { types: ["index"] }), []);
});

test("replace can bring a job forward, and begins its attempts anew", async (sql) => {
  const first = await schedule(sql, "index", KEY);
  await fail(sql, await claimOne(sql, "index"));

  await schedule(sql, "index", { ...KEY, unique_mode: "replace", payload: { version: 2 } });

  const [claimed] = await claim(sql, { types: ["index"] });
  assertEquals([claimed?.id, claimed?.payload, claimed?.attempt_count], [first.job_id, { version: 2 }, 1]);
});

test("replace makes a new job beside one that runs, which is not tried again", async (sql) => {
  const first = await schedule(sql, "index", { ...KEY, payload: { version: 1 } });
  const lease = await claimOne(sql, "index");

  const second = await schedule(sql, "index", { ...KEY, unique_mode: "replace", payload: { version: 2 } });
  await fail(sql, lease);

  assertNotEquals(second.job_id, first.job_id);
  assertEquals(await stateOf(sql, first.job_id), "failed");
  assertEquals((await schedule(sql, "index", KEY)).job_id, second.job_id);
});

Deno.test("of many who schedule the same at once, one adds it", async () => {
  const { sql, url } = await createTestDatabase();
  await addType(sql, "index");
  const clients = Array.from({ length: 8 }, () => connect(url));

  const byKey = await Promise.all(clients.map((client) => schedule(client, "index", { idempotency_key: "once" })));
  const unique = await Promise.all(clients.map((client) => schedule(client, "index", KEY)));
  const replaced = await Promise.all(
    clients.map((client, version) =>
      schedule(client, "index", { ...KEY, unique_mode: "replace", payload: { version } })
    ),
  );

  for (const all of [byKey, unique]) {
    assertEquals(new Set(all.map(({ job_id }) => job_id)).size, 1);
    assertEquals(all.filter(({ is_duplicate }) => !is_duplicate).length, 1);
  }
  assertEquals(new Set(replaced.map(({ job_id }) => job_id)), new Set([unique[0]!.job_id]));
  assertEquals((await sql`select from public.background_jobs`).length, 2);
  await Promise.all([sql, ...clients].map((client) => client.end()));
});
