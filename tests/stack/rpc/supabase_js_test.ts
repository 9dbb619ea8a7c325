import { assertEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { connect } from "../../../scripts/stack/connection.ts";
import { serviceTest, signToken, startService } from "./service.ts";
import { until } from "../../support/until.ts";

const { fetch, database } = await startService(`
  create function public.items(count integer) returns table (id integer, name text) stable language sql
    as $$ select i, 'item ' || i from generate_series(1, items.count) as i $$;
  create function public.whoami() returns text stable language sql as 'select current_user';
  create function public.refuse() returns void language plpgsql as $$
  begin
    raise sqlstate 'PGRST' using
      message = '{"code":"insufficient_funds","message":"Not enough","details":"7 missing"}',
      detail = '{"status":402,"headers":{}}';
  end $$;
  create function public.sleep(seconds numeric) returns void language sql
    set statement_timeout = '2min'
    as 'select pg_sleep(seconds)';
`);
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fetch);
Deno.test.afterAll(() => server.shutdown());
const url = `http://127.0.0.1:${server.addr.port}`;
const OPTIONS = { auth: { persistSession: false, autoRefreshToken: false } };
const client = createClient(url, LOCAL_KEYS.publishableKey, OPTIONS);

serviceTest("supabase-js calls a function", async () => {
  assertEquals((await client.rpc("items", { count: 1 })).data, [{ id: 1, name: "item 1" }]);
  assertEquals((await client.rpc("items", { count: 1 }, { get: true })).data, [{ id: 1, name: "item 1" }]);
});

serviceTest("supabase-js picks, orders and counts rows", async () => {
  const page = client.rpc("items", { count: 9 }, { count: "exact" });
  const { data, count, status } = await page.select("id").gt("id", 2).order("id", { ascending: false }).range(1, 2);

  assertEquals([status, count, data], [206, 7, [{ id: 8 }, { id: 7 }]]);
});

serviceTest("supabase-js counts without rows", async () => {
  const { data, count } = await client.rpc("items", { count: 9 }, { head: true, count: "exact" });

  assertEquals([count, data], [9, null]);
});

serviceTest("supabase-js takes a single row", async () => {
  assertEquals((await client.rpc("items", { count: 1 }).single()).data, { id: 1, name: "item 1" });
  assertEquals((await client.rpc("items", { count: 2 }).single()).error?.code, "PGRST116");
  assertEquals((await client.rpc("items", { count: 0 }).maybeSingle()).data, null);
});

serviceTest("supabase-js sees what a function refuses with", async () => {
  const { error, status } = await client.rpc("refuse");

  assertEquals([status, error?.code, error?.details], [402, "insufficient_funds", "7 missing"]);
});

serviceTest("supabase-js calls as whoever its credentials name", async () => {
  const accessToken = () => signToken({ role: "authenticated", sub: "u-1" });
  const server = createClient(url, LOCAL_KEYS.secretKey, OPTIONS);
  const user = createClient(url, LOCAL_KEYS.publishableKey, { ...OPTIONS, accessToken });

  assertEquals((await client.rpc("whoami")).data, "anon");
  assertEquals((await server.rpc("whoami")).data, "service_role");
  assertEquals((await user.rpc("whoami")).data, "authenticated");
});

serviceTest("supabase-js that gives up stops its statement", async () => {
  const observer = connect(database.superuserUrl);
  const caller = new AbortController();
  const answer = client.rpc("sleep", { seconds: 60 }).abortSignal(caller.signal).then(({ error }) => error?.code);
  const sleeping = () =>
    observer`select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
  await until(async () => (await sleeping()).length > 0, "the statement sleeps");

  caller.abort();

  await answer;
  for (let tries = 0; tries < 1_000 && (await sleeping()).length; tries++) await pause();
  assertEquals((await sleeping()).length, 0);
  await observer.end();
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
