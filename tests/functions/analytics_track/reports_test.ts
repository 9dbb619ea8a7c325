import { assertEquals, assertNotEquals } from "@std/assert";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { outcomeOf } from "../../support/problems.ts";
import { signedIn } from "../../support/signed_in.ts";
import { database, trackTest, trackUrl, withoutDatabase } from "./server.ts";

const operator = await signedIn(crypto.randomUUID(), { app_metadata: { role: "operator" } });
const rider = await signedIn(crypto.randomUUID());
const steps = encodeURIComponent('["looked","rode"]');
const REPORTS = [
  "summary",
  "active-users?event_name=looked",
  `funnel?steps=${steps}&breakdown=city`,
  "retention?period=week",
  "sessions",
  "top",
  "properties?event_name=looked",
  "properties?event_name=looked&property_name=city",
  "timeline?user_id=aline",
  "flags?flag_key=fare",
];

await database.sql`
  insert into public.analytics_events (day, id, event_name, actor_id, user_id, properties, occurred_at)
  select (at at time zone 'Africa/Kigali')::date, gen_random_uuid(), name, private.analytics_actor_id('aline', null), 'aline', properties, at
  from (values
    ('looked', '{"city": "huye"}'::jsonb, timestamptz '2026-03-02T10:00:00.123456+02'),
    ('rode', '{}', '2026-03-02T10:20:00.123456+02'),
    ('$feature_flag_called', '{"$feature_flag": "fare", "$feature_flag_response": "on"}', '2026-03-02T10:20:00+02')
  ) as happened (name, properties, at)`;

function get(path: string, token: string | null = operator, headers: Record<string, string> = {}): Promise<Response> {
  const credentials = token === null
    ? {}
    : token.startsWith("sb_")
    ? { apikey: token }
    : { authorization: `Bearer ${token}` };
  return fetch(`${trackUrl}/v1/reports/${path}`, { headers: { ...credentials, ...headers } as Record<string, string> });
}

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const days = "from_day=2026-03-02&to_day=2026-03-03";
  return (await (await get(`${path}${path.includes("?") ? "&" : "?"}${days}`)).json()).rows;
}

for (const path of REPORTS) {
  trackTest(`GET reports/${path} is for operators and the service`, async () => {
    assertEquals(await outcomeOf(get(path)), "200");
    assertEquals(await outcomeOf(get(path, LOCAL_KEYS.secretKey)), "200");
    assertEquals(await outcomeOf(get(path, rider)), "403 forbidden");
    assertEquals((await outcomeOf(get(path, LOCAL_KEYS.publishableKey))).slice(0, 3), "401");
    assertEquals(await outcomeOf(get(path, null)), "401 credentials_missing");
  });
}

trackTest("a report tells what was asked", async () => {
  const [summary] = await rowsOf("summary");
  assertEquals([summary!.event_count, summary!.new_actor_count], [3, 1]);
  assertEquals(await rowsOf("active-users?event_name=rode"), [
    { day: "2026-03-02", dau: 1, wau: 1, mau: 1 },
    { day: "2026-03-03", dau: 0, wau: 1, mau: 1 },
  ]);
  const funnel = await rowsOf(`funnel?steps=${steps}&breakdown=city`);
  assertEquals(funnel.map((row) => [row.value, row.event_name, row.actor_count, row.median_seconds]), [
    ["huye", "looked", 1, 0],
    ["huye", "rode", 1, 1_200],
  ]);
  assertEquals((await rowsOf("sessions"))[0]?.median_seconds, 1_200);
  assertEquals((await rowsOf("retention"))[0], { cohort_on: "2026-03-02", cohort_size: 1, period: 0, actor_count: 1 });
  assertEquals((await rowsOf("top?max_count=1"))[0], {
    event_name: "$feature_flag_called",
    event_count: 1,
    actor_count: 1,
  });
  assertEquals(await rowsOf("properties?event_name=looked"), [{
    property_name: "city",
    event_count: 1,
    actor_count: 1,
  }]);
  assertEquals(await rowsOf("properties?event_name=looked&property_name=city"), [
    { value: "huye", event_count: 1, actor_count: 1 },
  ]);
  assertEquals((await rowsOf("flags?flag_key=fare"))[0]?.variant, "on");
});

trackTest("what is known already is 304, until something happens", async () => {
  const first = await get("top?from_day=2026-03-02&to_day=2026-03-02");
  const etag = first.headers.get("etag")!;
  await first.body?.cancel();
  const again = () => get("top?from_day=2026-03-02&to_day=2026-03-02", operator, { "if-none-match": `W/${etag}` });

  assertEquals([(await again()).status, first.headers.get("cache-control")], [304, "private, no-cache"]);
  await database.sql`
    insert into public.analytics_events (day, id, event_name, actor_id, occurred_at)
    values ('2026-03-02', gen_random_uuid(), 'paid', gen_random_uuid(), '2026-03-02T10:00:00+02')`;
  const changed = await again();
  await changed.body?.cancel();

  assertEquals(changed.status, 200);
  assertNotEquals(changed.headers.get("etag"), etag);
});

trackTest("pages of a timeline follow from the last row, microseconds and all", async () => {
  const first = await (await get("timeline?user_id=aline&max_count=1")).json();
  const { occurred_at, id } = first.rows[0];
  const next = await get(
    `timeline?user_id=aline&max_count=5&before_at=${encodeURIComponent(occurred_at)}&before_id=${id}`,
  );

  assertEquals(first.rows[0].event_name, "rode");
  const { rows } = await next.json();
  assertEquals(rows.map((row: { event_name: string }) => row.event_name), ["$feature_flag_called", "looked"]);
});

for (
  const path of [
    "funnel",
    "funnel?steps=looked",
    "funnel?steps=[]",
    "funnel?steps=[1]",
    'funnel?steps=["a\\u0000"]',
    `funnel?steps=${"[".repeat(9_000)}`,
    `funnel?steps=${steps}&breakdown_by=any`,
    "summary?from_day=yesterday",
    "summary?from_day=2026-02-30",
    "summary?unknown=1",
    "top?max_count=1e9",
    "top?max_count=1&max_count=2",
    "flags",
    "timeline?before_at=now&user_id=a",
  ]
) {
  trackTest(`GET reports/${path.slice(0, 60)} is refused before SQL is asked`, async () => {
    assertEquals(await outcomeOf(get(path)), "422 validation_failed");
  });
}

for (
  const path of [
    "sessions?from_day=2026-01-01&to_day=2026-06-01",
    "timeline",
    "summary?from_day=2026-02-02&to_day=2026-02-01",
  ]
) {
  trackTest(`GET reports/${path} is refused by SQL`, async () => {
    assertEquals(await outcomeOf(get(path)), "422 invalid_argument");
  });
}

trackTest("without the database a report is 503, to be tried again", async () => {
  await withoutDatabase(async () => assertEquals(await outcomeOf(get("top")), "503 service_unavailable"));
});
