import { assert, assertEquals } from "@std/assert";
import { MOST_WAITING } from "../../../supabase/functions/config-fetch/await_change.ts";
import { calls, configTest as test, database, get, KEYS, until, url, write } from "./server.ts";

await write({ service: "rides", key: "surge", value: 1 });
await write({ service: "rides", key: "token", value: "hush-1", isSecret: true });

async function versionNow(): Promise<number> {
  return (await (await get("rides", KEYS.svc_rides)).json()).version;
}

/** Asks to wait; goes on when the first look at the database was answered. In an array, not to wait for the answer. */
async function startWaiting(version: number, signal?: AbortSignal, more = ""): Promise<[Promise<Response>]> {
  const before = calls.length;
  const answer = get(`rides?known_version=${version}&wait_seconds=25${more}`, KEYS.svc_rides, {}, signal);
  await until(() => calls.length > before);
  return [answer];
}

test("a waiting caller hears of a change", async () => {
  const [answer] = await startWaiting(await versionNow());

  await write({ service: "rides", key: "surge", value: 2 });

  assertEquals((await (await answer).json()).entries.surge.value, 2);
});

test("a waiting caller that asks for secrets gets them once, when there is news", async () => {
  const [answer] = await startWaiting(await versionNow(), undefined, "&include_secrets=true");

  await write({ service: "rides", key: "token", value: "hush-2", isSecret: true });

  assertEquals((await (await answer).json()).entries.token.value, "hush-2");
  const [row] = await database
    .sql`select count(*)::int as count from public.system_audit_logs where action = 'secrets_revealed'`;
  assertEquals(row!.count, 1);
});

test("more than so many do not wait, and whoever leaves makes room", async () => {
  const version = await versionNow();
  const gone = new AbortController();
  const waiting: Promise<Response>[] = [];
  while (waiting.length < MOST_WAITING) waiting.push(...await startWaiting(version, gone.signal));

  const tooMany = await (await get(`rides?known_version=${version}&wait_seconds=25`, KEYS.svc_rides)).json();
  assertEquals(tooMany.version, version);

  gone.abort();
  await Promise.all(waiting);
  const [answer] = await startWaiting(version);
  await write({ service: "rides", key: "surge", value: 3 });
  assertEquals((await (await answer).json()).entries.surge.value, 3);
});

test("a caller that hangs up is waited for no longer", async () => {
  const version = await versionNow();
  const gone = new AbortController();
  const headers = { "apikey": KEYS.svc_rides, "x-request-id": "gone" };
  const looks = () => calls.filter((call) => call.headers.get("x-request-id") === "gone").length;
  const answer = fetch(`${url}/functions/v1/config-fetch/rides?known_version=${version}&wait_seconds=25`, {
    headers,
    signal: gone.signal,
  }).catch((error) => error.name);
  await until(() => looks() === 1);

  gone.abort();
  assertEquals(await answer, "AbortError");

  // Somebody who begins to wait now looks a second time later than the first would have.
  const [other] = await startWaiting(version);
  await write({ service: "rides", key: "surge", value: 4 });
  await (await other).body?.cancel();
  assertEquals(looks(), 1);
});

test("all who wait for one document look at it together", async () => {
  const version = await versionNow();
  const waiting: Promise<Response>[] = [];
  while (waiting.length < 12) waiting.push(...await startWaiting(version));
  const before = calls.length;

  await write({ service: "rides", key: "surge", value: 5 });
  const values = await Promise.all(waiting.map(async (answer) => (await (await answer).json()).entries.surge.value));

  assertEquals(values, Array(12).fill(5));
  // Each for itself would have been at least 12.
  assert(calls.length - before < 12, `${calls.length - before} looks`);
});

test("nobody waits for what is no news: another version than the known one is answered at once", async () => {
  const answer = await get("rides?known_version=0&wait_seconds=25", KEYS.svc_rides);

  assertEquals((await answer.json()).entries.surge.value, 5);
});
