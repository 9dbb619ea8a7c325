import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { beat, feed, register, silence, statusOf, tend } from "./services.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";

const database = await createTestDatabase();
const others = [1, 2, 3, 4].map(() => connect(database.url));
Deno.test.afterAll(async () => {
  await Promise.all([database.sql, ...others].map((sql) => sql.end()));
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

test("a heartbeat that is under way is not overtaken by the expiry", async () => {
  const { sql } = database;
  await register(sql, { service_name: "held" });
  await silence(sql);

  await others[0]!.begin(async (own) => {
    await beat(own, "passing", { service: "held" });
    await tend(sql);
  });
  await tend(sql);

  assertEquals(await statusOf(sql, "held"), "passing");
  assertEquals(await feed(sql, "held"), ["registered default"]);
});

test("a heartbeat that waits for the expiry has the last word", async () => {
  const { sql } = database;
  await register(sql, { service_name: "late" });
  await silence(sql);
  const release = Promise.withResolvers<void>();
  const expired = Promise.withResolvers<void>();
  const expiry = others[0]!.begin(async (own) => {
    await tend(own);
    expired.resolve();
    await release.promise;
  });
  await expired.promise;

  const beating = beat(others[1]!, "passing", { service: "late" });
  await untilSomebodyWaits(database.sql);
  release.resolve();
  await expiry;

  assertEquals([(await beating).status, await statusOf(sql, "late")], ["passing", "passing"]);
  assertEquals((await feed(sql, "late")).length, 3);
});

test("heartbeats, expiries and registrations at once leave one instance, whose feed tells every step", async () => {
  const { sql } = database;
  await register(sql, { service_name: "busy" });
  const turns = Array.from({ length: 60 }, (_, index) => index);

  await Promise.all(others.map(async (own, worker) => {
    for (const turn of turns) {
      const choice = (turn * 7 + worker * 3) % 5;
      if (choice === 0) {
        await own`update public.service_registry set last_heartbeat_at = '-infinity' where service_name = 'busy'`;
      }
      if (choice === 1) await tend(own);
      if (choice === 2) await register(own, { service_name: "busy" });
      if (choice > 2) await beat(own, choice === 3 ? "warning" : "passing", { service: "busy" });
    }
  }));

  const steps = (await feed(sql, "busy")).filter((line) => line.startsWith("status_changed")).map((line) =>
    line.split(" ")[2]!.split(">")
  );
  let status = "passing";
  for (const [from, to] of steps) {
    assertEquals(from, status);
    status = to!;
  }
  const [row] = await sql`select status from public.service_registry where service_name = 'busy'`;
  assertEquals(row!.status, status);
  assert(steps.length > 0);
});
