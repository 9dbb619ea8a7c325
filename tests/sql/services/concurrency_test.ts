import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { Sql } from "postgres";
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

const STEPS = {
  beatWell: (sql: Sql, service: string) => beat(sql, "passing", { service }),
  beatIll: (sql: Sql, service: string) => beat(sql, "warning", { service }),
  register: (sql: Sql, service: string) => register(sql, { service_name: service }),
  fallSilent: (sql: Sql, service: string) =>
    sql`update public.service_registry set last_heartbeat_at = '-infinity' where service_name = ${service}`,
  tend: (sql: Sql) => tend(sql),
};
type Step = keyof typeof STEPS;
const steps = fc.array(fc.constantFrom(...Object.keys(STEPS) as Step[]), { minLength: 5, maxLength: 40 });

test("heartbeats, expiries and registrations at once leave one instance, whose feed tells every step", async () => {
  const { sql } = database;
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: others.length, maxLength: others.length }), async (lists) => {
      const service = `busy-${run++}`;
      await register(sql, { service_name: service });

      await Promise.all(others.map(async (own, worker) => {
        for (const step of lists[worker]!) await STEPS[step](own, service);
      }));

      let status = "passing";
      for (const line of await feed(sql, service)) {
        const [kind, , change] = line.split(" ");
        if (kind !== "status_changed") continue;
        const [from, to] = change!.split(">");
        assertEquals(from, status);
        status = to!;
      }
      const rows = await sql`select status from public.service_registry where service_name = ${service}`;
      assertEquals(rows.map((row) => row.status), [status]);
      // Who has beaten last is well again, whatever happened before.
      await beat(sql, "passing", { service });
      await tend(sql);
      assertEquals(await statusOf(sql, service), "passing");
    }),
    // Another race would go another way: there is nothing to shrink.
    { numRuns: 12, endOnFailure: true },
  );
});
