import { assertEquals } from "@std/assert";
import { createTestDatabase } from "../../support/database.ts";

interface Family {
  name: string;
  type: string;
  help: string;
}

const { sql } = await createTestDatabase();
const families: Family[] = await sql`select name, type, help from private.metric_families()`;
Deno.test.afterAll(() => sql.end());

/** Names of Prometheus' practice: counters are totals, moments and lengths of time are in seconds, and nothing in other units. */
function faultsOf({ name, type, help }: Family): string[] {
  const faults: string[] = [];
  if (!/^[a-z]+(_[a-z0-9]+)*$/.test(name)) faults.push("is not snake_case");
  if (name.endsWith("_total") !== (type === "counter")) faults.push("a counter, and nothing else, ends in _total");
  if (/(^|_)(ms|milliseconds|minutes|age|kilobytes|kb|percent)(_|$)/.test(name)) faults.push("is not in base units");
  if (/_(at|time|timestamp)$/.test(name)) faults.push("a moment ends in _timestamp_seconds");
  if (/_(count|sum|bucket)$/.test(name)) faults.push("ends as a histogram's series do");
  if (!/^[A-Z0-9].*\.$/.test(help)) faults.push("is not explained by a sentence");
  return faults.map((fault) => `${name}: ${fault}`);
}

Deno.test("families are named as Prometheus wants them, each once, and in order", () => {
  const names = families.map(({ name }) => name);

  assertEquals(families.flatMap(faultsOf), []);
  assertEquals(names, [...new Set(names)].sort());
});

Deno.test("a breach is seen: a counter without _total, a gauge with it, other units", () => {
  const names = ["runs", "runs_total", "run_ms", "Runs", "run_count", "ran_at"];

  assertEquals(
    names.map((name, at) => faultsOf({ name, type: at === 0 ? "counter" : "gauge", help: "Runs." }).length),
    names.map(() => 1),
  );
});

Deno.test("no sample is without a family", async () => {
  assertEquals(
    [
      ...await sql`select distinct sample.name from private.sql_samples() as sample
      where not exists (select from private.metric_families() as family where family.name = sample.name)`,
    ],
    [],
  );
});

Deno.test("whatever samples a function takes are told, and every family is one of them", async () => {
  const samplers = await sql<{ proname: string; prosrc: string }[]>`
    select proname, prosrc from pg_proc where prorettype = 'private.metric_sample'::regtype`;
  const all = samplers.find(({ proname }) => proname === "sql_samples")!;
  const parts = samplers.filter((each) => each !== all);

  assertEquals(parts.filter(({ proname }) => !all.prosrc.includes(`private.${proname}()`)), []);
  assertEquals(
    families.map(({ name }) => name).filter((name) => !parts.some(({ prosrc }) => prosrc.includes(`'${name}'`))),
    [],
  );
});
