import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

interface Sample {
  labels: Record<string, unknown>;
  value: number;
  buckets?: Record<string, number>;
}

async function samplesOf(sql: TransactionSql, name: string): Promise<Sample[]> {
  const [row] = await sql`select samples from public.metric_samples() where name = ${name}`;
  return row?.samples ?? [];
}

test("metric_samples() gives what counters and histograms have come to, and where gauges stand", async (sql) => {
  const service_name = "probe";
  const histogram = { service_name, metric_type: "histogram", metric_name: "seconds", minimum: 1, maximum: 9 };
  await sql`select public.record_metrics(${
    sql.json([
      { service_name, metric_type: "counter", metric_name: "calls_total", value: 2, tags: { kind: "a" } },
      { service_name, metric_type: "counter", metric_name: "calls_total", value: 3, tags: { kind: "a" } },
      { service_name, metric_type: "counter", metric_name: "calls_total", value: 5, tags: { kind: "b" } },
      { service_name, metric_type: "gauge", metric_name: "level", value: 7 },
      { ...histogram, value: 10, buckets: { "2.5": 1, "10": 1 } },
    ])
  })`;
  await sql`select public.record_metrics(${
    sql.json([
      { service_name, metric_type: "gauge", metric_name: "level", value: 4 },
      { ...histogram, value: 12, buckets: { "10": 2, "+Inf": 1 } },
    ])
  })`;

  assertEquals(await samplesOf(sql, "calls_total"), [
    { labels: { function: "probe", kind: "a" }, value: 5 },
    { labels: { function: "probe", kind: "b" }, value: 5 },
  ]);
  assertEquals(await samplesOf(sql, "level"), [{ labels: { function: "probe" }, value: 4 }]);
  assertEquals(await samplesOf(sql, "seconds"), [
    { labels: { function: "probe" }, value: 22, buckets: { "2.5": 1, "10": 3, "+Inf": 1 } },
  ]);
});

test("metric_samples() forgets a series that nobody has reported for a week", async (sql) => {
  await sql`select public.record_metric('probe', 'counter', 'calls_total', 1)`;
  await sql`select public.record_metric('probe', 'counter', 'others_total', 1)`;
  await sql`update private.metric_totals set reported_at = now() - interval '8 days' where metric_name = 'calls_total'`;

  await sql`select private.purge_metric_totals()`;

  assertEquals([await samplesOf(sql, "calls_total"), (await samplesOf(sql, "others_total")).length], [[], 1]);
});

Deno.test("reports at once lose nothing and never wait for each other in a circle", async () => {
  const { sql, url } = await createTestDatabase();
  const pool = connect(url, { max: 8 });
  const names = ["a_total", "b_total", "c_total", "d_total"];

  const batches = fc.sample(fc.shuffledSubarray(names, { minLength: 4 }), 40);
  await Promise.all(
    batches.map((order) =>
      sql`select public.record_metrics(${
        sql.json(order.map((metric_name) => ({ service_name: "probe", metric_type: "counter", metric_name, value: 1 })))
      })`
    ),
  );

  const totals = await sql`select value from private.metric_totals`;
  assertEquals(totals.map(({ value }) => value), [40, 40, 40, 40]);
  await Promise.all([sql.end(), pool.end()]);
});

test("metric_samples() tells of every part of the house, each metric with its family and none twice", async (sql) => {
  await sql`select public.create_queue('probe', keep_history => 'none')`;
  await sql`select public.enqueue_message('probe', 'probe.sent', '{}')`;

  const families = await sql`select name, type, help, samples from public.metric_samples()`;

  const ready = (await samplesOf(sql, "easymo_queue_messages"))
    .find(({ labels }) => labels.queue === "probe" && labels.state === "ready");
  assertEquals(ready?.value, 1);
  const told = families.map(({ name }) => name);
  for (
    const name of ["wallet_drift", "partition_months_ahead", "schedule_late", "stale_flags", "event_horizon_seconds"]
  ) {
    assert(told.includes(`easymo_${name}`), name);
  }
  for (const { name, samples } of families) {
    const series = samples.map(({ labels }: Sample) => JSON.stringify(labels));
    assertEquals(new Set(series).size, series.length, name);
    assert(samples.every(({ value }: Sample) => Number.isFinite(value)), name);
  }
});
