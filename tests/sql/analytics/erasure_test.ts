import { assertEquals } from "@std/assert";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { connect } from "../../../scripts/stack/connection.ts";
import { codeOf } from "../flags/flags.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { daysAgo, mergeAll, metrics, recount, track } from "./analytics.ts";

const database = await createTestDatabase();
const { sql } = database;

interface Receipt {
  receipt_id: string;
  actors: number;
  events: number;
  archived_events: number;
  facts: number;
  rejections: number;
  remaining: number;
}

async function erase(userId: string): Promise<Receipt> {
  const [row] = await sql`select public.erase_analytics_user(${userId}) as receipt`;
  return row!.receipt;
}

/** Every row of analytics that holds this text or the id it stands for. */
async function tracesOf(userId: string): Promise<number> {
  const [row] = await sql`
    with needle as (select private.analytics_actor_id(${userId}, null)::text as actor)
    select (
      (select count(*) from public.analytics_events as e, needle where e::text like '%' || actor || '%' or user_id = ${userId})
      + (select count(*) from public.analytics_actor_days as f, needle where f::text like '%' || actor || '%')
      + (select count(*) from public.analytics_identities as i, needle where i::text like '%' || actor || '%')
      + (select count(*) from public.analytics_rejections as r, needle where r::text like '%' || actor || '%' or r::text like '%' || ${userId} || '%')
    )::int as count`;
  return row!.count;
}

Deno.test("erase_analytics_user() leaves nothing of a person, under none of their ids, and the metrics follow", async () => {
  await track(sql, [
    { anonymous_id: "a-browser", event_name: "looked", timestamp: daysAgo(3) },
    { type: "identify", event_name: "in", user_id: "aline-0001", anonymous_id: "a-browser" },
    { user_id: "aline-0001", event_name: "" },
    { user_id: "eric-0001", event_name: "looked", timestamp: daysAgo(3) },
  ], { rejected: [{ index: 9, message_id: "x", reason: "too_large", item: { anonymousId: "a-browser" } }] });
  await metrics(sql);

  const receipt = await erase("aline-0001");

  assertEquals(
    [receipt.actors, receipt.events, receipt.facts, receipt.rejections, receipt.remaining],
    [2, 2, 2, 2, 0],
  );
  assertEquals(await tracesOf("aline-0001"), 0);
  assertEquals(await metrics(sql), await recount(sql));
});

Deno.test("the receipt of an erasure stands in the audit log, without the id as it was said", async () => {
  await track(sql, [{ user_id: "secret-name" }]);

  const receipt = await erase("secret-name");

  const [entry] =
    await sql`select action, metadata, log::text as whole from public.system_audit_logs as log where id = ${receipt.receipt_id}`;
  assertEquals([entry!.action, entry!.metadata.events, entry!.metadata.remaining], ["analytics.erased", 1, 0]);
  assertEquals(entry!.whole.includes("secret-name"), false);
});

Deno.test("later events of an erased person are suppressed, and those of an id that turns out to be theirs erased", async () => {
  await erase("gone");
  await track(sql, [{ anonymous_id: "new-phone", event_name: "came_back" }]);

  const answer = await track(sql, [
    { user_id: "gone" },
    { type: "identify", event_name: "in", user_id: "gone", anonymous_id: "new-phone" },
  ]);
  await mergeAll(sql);
  await sql`select private.erase_suppressed_aliases()`;
  const later = await track(sql, [{ anonymous_id: "new-phone" }]);

  assertEquals([answer.suppressed, answer.stored, later.suppressed], [2, 0, 1]);
  assertEquals([...await sql`select from public.analytics_events where event_name = 'came_back'`].length, 0);
  assertEquals(await tracesOf("gone"), 0);
});

Deno.test("erase_analytics_user() finds the person in months that are archived and not dropped yet", async () => {
  await track(sql, [{ user_id: "long-ago", event_name: "old", timestamp: daysAgo(200) }]);
  const [leaf] =
    await sql`select tableoid::regclass::text as name from public.analytics_events where event_name = 'old'`;
  await sql.unsafe(`alter table public.analytics_events detach partition ${leaf!.name}`);
  await sql.unsafe(`alter table ${leaf!.name} set schema archive`);

  const receipt = await erase("long-ago");

  assertEquals([receipt.events, receipt.archived_events, receipt.remaining], [0, 1, 0]);
});

Deno.test("erase_analytics_user() waits for a batch under way and misses nothing of it", async () => {
  const pool = connect(database.url, { max: 2 });
  const writer = await pool.reserve();
  await writer`begin`;
  await track(writer, [{ user_id: "busy", event_name: "in_flight" }]);

  const erasing = erase("busy");
  const watch = connect(database.superuserUrl);
  await untilSomebodyWaits(watch);
  await writer`commit`;
  const receipt = await erasing;

  writer.release();
  await Promise.all([pool.end(), watch.end()]);
  assertEquals([receipt.events, receipt.remaining], [1, 0]);
});

Deno.test("suppress_analytics_user() keeps what is stored and stops what comes; unsuppress_analytics_user() undoes it", async () => {
  const send = async () => (await track(sql, [{ user_id: "shy" }])).stored;
  await send();

  await sql`select public.suppress_analytics_user('shy')`;
  const suppressed = await send();
  await sql`select public.unsuppress_analytics_user('shy')`;

  assertEquals([suppressed, await send()], [0, 1]);
  assertEquals([...await sql`select from public.analytics_events where user_id = 'shy'`].length, 2);
});

Deno.test(
  "only the service and registered operators erase and suppress",
  rolledBack(database, async (sql) => {
    const user = await createUser(sql);
    const operator = { app_metadata: { role: "operator" } };
    for (
      const call of ["erase_analytics_user('x')", "suppress_analytics_user('x')", "unsuppress_analytics_user('x')"]
    ) {
      const code = await codeOf(
        sql,
        () => asUser(sql, user, (client) => client.unsafe(`select public.${call}`), operator),
      );
      assertEquals(code, "operator_required");
      await as(sql, "service_role", {}, (client) => client.unsafe(`select public.${call}`));
    }
  }),
);

Deno.test(
  "erase_analytics_user() of nobody is refused",
  rolledBack(database, async (sql) => {
    assertEquals(await codeOf(sql, (inner) => inner`select public.erase_analytics_user()`), "invalid_argument");
  }),
);
