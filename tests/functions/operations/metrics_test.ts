import { assert, assertEquals, assertThrows } from "@std/assert";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import operations from "../../../supabase/functions/operations/index.ts";
import { metrics } from "../../../supabase/functions/operations/metrics.ts";
import { RequestTrace } from "shared/trace.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf } from "../../support/problems.ts";
import { parsePrometheusText, type ScrapedFamily } from "../../support/prometheus_text.ts";
import { useSettings } from "../../support/settings.ts";

captureLog();
const database = await createTestDatabase();
const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
let isAway = false;
let scrapes = 0;
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  if (request.url.endsWith("/metric_samples")) scrapes++;
  if (!isAway) return await rpc.fetch(request);
  return Response.json({ code: "57P03", message: "secret-host is down", details: "secret-detail" }, { status: 503 });
});
useSettings({
  ...developmentSettings(`http://127.0.0.1:${server.addr.port}`, database.url),
  METRICS_TOKENS: "next-token,scraper-token",
});
Deno.test.afterAll(async () => {
  await server.shutdown();
  await rpc.close();
  await database.sql.end();
});

/** Tests share connections that outlive them. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

const TRACE = new RequestTrace(new Headers());
/** What is kept is kept by the clock: each test looks an hour later than the one before. */
let clock = Date.now();
const later = () => clock += 3_600_000;

function scrape(token = "scraper-token"): Promise<Response> {
  const headers = token === "" ? new Headers() : new Headers({ authorization: `Bearer ${token}` });
  return Promise.resolve(operations.fetch(new Request("http://127.0.0.1/operations/metrics", { headers })));
}

function valueOf(families: ScrapedFamily[], name: string, labels: Record<string, string>): number | undefined {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return samples.find((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text))
    ?.value;
}

test("a failed scrape is a 503 that tells nothing of the inside, and is not kept", async () => {
  isAway = true;
  const away = await scrape().finally(() => isAway = false);
  const body = await away.text();

  assertEquals([away.status, JSON.parse(body).type], [503, "/problems/service_unavailable"]);
  assertEquals(away.headers.get("content-type"), "application/problem+json");
  assert(!body.includes("secret"));
  assertEquals(await outcomeOf(scrape()), "200");
});

test("a scrape is Prometheus' text, strictly, and holds what SQL and the functions count", async () => {
  await database.sql`select public.record_metrics(${
    database.sql.json([
      { service_name: "probe", metric_type: "counter", metric_name: "calls_total", value: 2, tags: { kind: 'a"\\\n' } },
      {
        ...{ service_name: "probe", metric_type: "histogram", metric_name: "call_seconds", value: 11 },
        ...{ minimum: 1, maximum: 9, buckets: { "2.5": 1, "10": 1 } },
      },
    ])
  })`;

  const answer = await scrape();
  const families = parsePrometheusText(await metrics(TRACE, later()));

  assertEquals(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  parsePrometheusText(await answer.text());
  assertEquals(valueOf(families, "calls_total", { function: "probe", kind: 'a"\\\n' }), 2);
  assertEquals(valueOf(families, "call_seconds_count", { function: "probe" }), 2);
  assertEquals(valueOf(families, "easymo_wallet_drift", {}), 0);
});

test("counters only rise from one scrape to the next", async () => {
  const count = (value: number) =>
    database.sql`select public.record_metric('probe', 'counter', 'rises_total', ${value})`;
  await count(3);
  const before = parsePrometheusText(await metrics(TRACE, later()));
  await count(4);
  const after = parsePrometheusText(await metrics(TRACE, later()));

  assertEquals([before, after].map((each) => valueOf(each, "rises_total", { function: "probe" })), [3, 7]);
  const counters = before.filter(({ type }) => type !== "gauge").flatMap(({ samples }) => samples);
  for (const { name, labels, value } of counters) {
    assert((valueOf(after, name, labels) ?? -1) >= value, name);
  }
});

test("scrapers of the same five seconds cost one look into the database", async () => {
  const at = later();
  const before = scrapes;
  const texts = await Promise.all([at, at, at + 4_999].map((now) => metrics(TRACE, now)));

  assertEquals([new Set(texts).size, scrapes - before], [1, 1]);
  await metrics(TRACE, at + 5_000);
  assertEquals(scrapes - before, 2);
});

test("only holders of a scraper's token read the metrics", async () => {
  assertEquals(await outcomeOf(scrape("next-token")), "200");
  assertEquals(await outcomeOf(scrape("another")), "401 token_invalid");
  assertEquals(await outcomeOf(scrape(LOCAL_KEYS.secretKey)), "401 credentials_missing");
  assertEquals(await outcomeOf(scrape("")), "401 credentials_missing");
});

Deno.test("parsePrometheusText() sees what the format forbids", () => {
  const family = (type: string, lines: string) => `# HELP a Help.\n# TYPE a ${type}\n${lines}`;
  const broken = [
    family("gauge", "a 1"),
    family("gauge", ""),
    family("gauge", "b 1\n"),
    family("gauge", "a 1\na 2\n"),
    family("gauge", 'a{b="1",c="2"} 1\na{c="2",b="1"} 2\n'),
    family("gauge", 'a{b="1",b="2"} 1\n'),
    family("gauge", 'a{b="x"y"} 1\n'),
    family("gauge", "a undefined\n"),
    family("summary", "a 1\n"),
    family("gauge", "a 1\n") + family("gauge", 'a{b="c"} 1\n'),
    family("histogram", 'a_bucket{le="1"} 1\na_sum 1\na_count 1\n'),
    family("histogram", 'a_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'),
    family("histogram", 'a_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n'),
    family("histogram", 'a_bucket{le="+Inf"} 1\na_count 1\n'),
    "a 1\n",
  ];

  for (const text of broken) assertThrows(() => parsePrometheusText(text), text);
  assertEquals(parsePrometheusText(family("gauge", 'a{b="x\\"y\\n"} 1\n'))[0]!.samples, [
    { name: "a", labels: { b: 'x"y\n' }, value: 1 },
  ]);
});
