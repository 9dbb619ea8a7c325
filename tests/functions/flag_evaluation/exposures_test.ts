import { assertEquals } from "@std/assert";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { exposures } from "../../../supabase/functions/flag-evaluation/flags.ts";
import { FlagExposures } from "../../../supabase/functions/flag-evaluation/flag_exposures.ts";
import { useBackground } from "../../support/background.ts";
import { useSettings } from "../../support/settings.ts";
import { ask, database, flagTest, putFlag } from "./server.ts";

const background = useBackground();
useSettings({ FLAG_EXPOSURE_SAMPLE_RATE: "1" });
await putFlag("map");
await putFlag("price", { isEnabled: false });

const ANONYMOUS = "0192f3a0-0000-7000-8000-000000000001";
const HOUR_MS = 3_600_000;

async function createProfile(): Promise<string> {
  const [row] = await database.sql`insert into public.profiles (phone) values ('+250788000001') returning id`;
  return row!.id;
}

async function evaluate(targetingKey?: string, given: { key?: string; apiKey?: string } = {}): Promise<void> {
  const response = await ask({
    ...given,
    body: { context: { ...(targetingKey === undefined ? {} : { targetingKey }) } },
  });
  assertEquals(response.status, 200);
  await response.body?.cancel();
  await background.ended();
  await exposures.flush();
}

/** What is stored, as `flag variant user anonymous`. */
async function stored(): Promise<string[]> {
  const rows = await database.sql`
    select concat_ws(' ', properties ->> '$feature_flag', properties ->> '$feature_flag_response',
      coalesce(user_id, '-'), coalesce(anonymous_id, '-'), properties ->> 'environment', properties ->> 'sample_rate') as line
    from public.analytics_events where event_name = '$feature_flag_called' order by line`;
  return rows.map(({ line }) => line);
}

flagTest("whoever is served a variant over OFREP is seen in analytics, once a day, and a user as one", async () => {
  const user = await createProfile();

  await evaluate(ANONYMOUS);
  await evaluate(ANONYMOUS, { key: "map" });
  await evaluate(user, { apiKey: LOCAL_KEYS.secretKey });

  assertEquals(
    await stored(),
    [
      `map on - ${ANONYMOUS} production 1`,
      `map on ${user} - production 1`,
      `price off - ${ANONYMOUS} production 1`,
      `price off ${user} - production 1`,
    ].sort(),
  );
  await database.sql`select public.refresh_daily_metrics()`;
  const [day] = await database.sql`
    select event_count::int, actor_count::int from public.daily_metrics where event_name = '$feature_flag_called'`;
  assertEquals({ ...day }, { event_count: 4, actor_count: 2 });
});

flagTest("keys that are no UUIDs, as phone numbers are, and no key at all leave no trace", async () => {
  const before = await stored();

  for (const key of ["250788000002", "someone@example.com", undefined]) await evaluate(key);

  assertEquals(await stored(), before);
});

/** Exposures of a share of people, whose batches are kept here. */
function noting(rate: number, send = (_batch: unknown[]): Promise<void> => Promise.resolve()) {
  const batches: { targeting_key: string }[][] = [];
  const noted = new FlagExposures(() => rate, async (_environment, batch) => {
    await send(batch);
    batches.push(batch);
  });
  return { noted, batches };
}

function served(...variants: string[]) {
  return variants.map((variant) => ({ key: "map", reason: "SPLIT" as const, variant, value: true, metadata: {} }));
}

function person(number: number): string {
  return `0192f3a0-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

Deno.test("FlagExposures keeps about the share of people that it should, and the same ones", async () => {
  const { noted, batches } = noting(0.1);
  const keptAt = async (at: number) => {
    for (let number = 0; number < 2_000; number++) noted.add("production", person(number), served("on"), at);
    await background.ended();
    await noted.flush();
    return batches.splice(0).flat().map(({ targeting_key }) => targeting_key).sort();
  };

  const [first, second] = [await keptAt(0), await keptAt(HOUR_MS)];

  assertEquals([first.length > 140 && first.length < 260, second], [true, first]);
});

Deno.test("FlagExposures tells the same once an hour, but another variant at once", async () => {
  const { noted, batches } = noting(1);

  for (const [at, variant] of [[0, "on"], [1, "on"], [2, "off"], [HOUR_MS, "on"]] as const) {
    noted.add("production", person(1), served(variant), at);
    await noted.flush();
  }

  assertEquals(batches.map((batch) => batch.length), [1, 1, 1]);
});

Deno.test("FlagExposures keeps no more than one call takes, and tells again what failed", async () => {
  let isAway = true;
  const { noted, batches } = noting(1, () => isAway ? Promise.reject(new Error("away")) : Promise.resolve());
  const serveAll = () => {
    for (let number = 0; number < 3_000; number++) noted.add("production", person(number), served("on"), 0);
  };

  serveAll();
  await noted.flush();
  isAway = false;
  serveAll();
  await noted.flush();
  serveAll();
  await noted.flush();

  assertEquals(batches.map((batch) => batch.length), [2_500, 500]);
});
