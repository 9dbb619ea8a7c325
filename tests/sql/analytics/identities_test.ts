import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { untilWaiting } from "../../support/lock_waits.ts";
import { daysAgo, mergeAll, metrics, recount, track, userActor } from "./analytics.ts";

const { sql, url } = await createTestDatabase();
// A transaction that stays open holds the key's rate.
await sql`update private.analytics_settings set publishable_events_per_minute = null`;

async function peopleOf(...names: string[]): Promise<Record<string, string[]>> {
  const rows = await sql`
    select event_name, array_agg(distinct actor_id::text) as actors from public.analytics_events
    where event_name in ${sql(names)} group by event_name`;
  return Object.fromEntries(rows.map(({ event_name, actors }) => [event_name, actors]));
}

async function linkOf(anonymousId: string): Promise<string | undefined> {
  const [row] = await sql`
    select actor_id from public.analytics_identities where alias_id = private.analytics_actor_id(null, ${anonymousId})`;
  return row?.actor_id;
}

Deno.test("identify makes what somebody did anonymously theirs, and counts one person, days later too", async () => {
  await track(sql, [{ anonymous_id: "late", event_name: "looked", timestamp: daysAgo(40) }]);
  await metrics(sql);

  await track(sql, [
    { type: "identify", event_name: "identified", user_id: "aline", anonymous_id: "late" },
    { user_id: "aline", event_name: "looked", timestamp: daysAgo(40) },
  ]);
  await mergeAll(sql);

  const aline = await userActor(sql, "aline");
  assertEquals(await peopleOf("looked", "identified"), { looked: [aline], identified: [aline] });
  const lines = await metrics(sql);
  assertEquals(lines, await recount(sql));
  assertEquals(lines.find((line) => line.includes("looked"))?.slice(10), " looked 2 1");
});

Deno.test("what a known anonymous id does later is the person's at once", async () => {
  await track(sql, [{ type: "identify", event_name: "in", user_id: "eric", anonymous_id: "phone" }]);
  await mergeAll(sql);

  await track(sql, [{ anonymous_id: "phone", event_name: "walked" }]);

  assertEquals(await peopleOf("walked"), { walked: [await userActor(sql, "eric")] });
});

Deno.test("an anonymous id is the first person's who claims it", async () => {
  for (const user_id of ["first", "second"]) {
    await track(sql, [{ type: "identify", event_name: "in", user_id, anonymous_id: "shared" }]);
  }
  await mergeAll(sql);

  assertEquals(await linkOf("shared"), await userActor(sql, "first"));
});

Deno.test("alias joins a former id to a user, but nobody takes a person who was identified", async () => {
  await track(sql, [
    { type: "identify", event_name: "in", user_id: "victim", anonymous_id: "tablet" },
    { user_id: "old", event_name: "rode" },
    { user_id: "victim", event_name: "slept" },
  ]);
  await mergeAll(sql);

  await track(sql, [
    { type: "alias", event_name: "alias", user_id: "new", previous_id: "old" },
    { type: "alias", event_name: "alias", user_id: "thief", previous_id: "victim" },
  ]);
  await mergeAll(sql);

  const [fresh, victim] = [await userActor(sql, "new"), await userActor(sql, "victim")];
  assertEquals(await peopleOf("rode", "slept"), { rode: [fresh], slept: [victim] });
});

Deno.test("claims in a circle end somewhere", async () => {
  await track(sql, [
    { type: "alias", event_name: "alias", user_id: "north", previous_id: "south" },
    { type: "alias", event_name: "alias", user_id: "south", previous_id: "north" },
    { type: "alias", event_name: "alias", user_id: "north", previous_id: "north" },
  ]);
  await mergeAll(sql);

  const rows = await sql`
    select from public.analytics_identities as link
    join public.analytics_identities as further on further.alias_id = link.actor_id`;
  assertEquals(rows.length, 0);
});

Deno.test("facts of months whose raw events are gone are moved too", async () => {
  await track(sql, [{ anonymous_id: "archived", event_name: "remembered", timestamp: daysAgo(100) }]);
  await sql`delete from public.analytics_events where event_name = 'remembered'`;

  await track(sql, [{ type: "identify", event_name: "in", user_id: "rose", anonymous_id: "archived" }]);
  await mergeAll(sql);

  const [fact] = await sql`select actor_id from public.analytics_actor_days where event_name = 'remembered'`;
  assertEquals(fact!.actor_id, await userActor(sql, "rose"));
});

Deno.test("the schedule merges in its third run at the earliest: when all from before the second have ended", async () => {
  await track(sql, [
    { anonymous_id: "waiting", event_name: "waited" },
    { type: "identify", event_name: "in", user_id: "grace", anonymous_id: "waiting" },
  ]);

  const merged: number[] = [];
  while (merged.at(-1) !== 1) {
    const [row] = await sql`select private.merge_analytics_actors(500) as count`;
    merged.push(row!.count);
  }

  assertEquals(merged.slice(0, 2), [0, 0]);
  assertEquals(await peopleOf("waited"), { waited: [await userActor(sql, "grace")] });
});

Deno.test("an event whose writer could not see the link yet, and commits after it, is merged too", async () => {
  const slow = connect(url);
  const writer = await slow.reserve();
  await writer`begin`;
  await track(writer, [{ anonymous_id: "slow", event_name: "crawled" }]);

  await track(sql, [{ type: "identify", event_name: "in", user_id: "jean", anonymous_id: "slow" }]);
  for (let run = 0; run < 5; run++) await sql`select private.merge_analytics_actors(500)`;
  await writer`commit`;
  await mergeAll(sql);

  writer.release();
  await slow.end();
  assertEquals(await peopleOf("crawled"), { crawled: [await userActor(sql, "jean")] });
});

Deno.test("writing and merging the same people's facts cannot deadlock", async () => {
  const people = await Promise.all(
    ["left", "right"].map(async (user_id) => ({ user_id, actor: await userActor(sql, user_id) })),
  );
  const [first, second] = people.toSorted((one, other) => one.actor < other.actor ? -1 : 1);
  // Of the first person a late name, of the second an early one: whoever goes by names first takes them the other way round.
  const facts = [{ user_id: first!.user_id, event_name: "b" }, { user_id: second!.user_id, event_name: "a" }];
  await track(sql, facts);
  await track(sql, facts.map(({ user_id, event_name }) => ({ anonymous_id: `${user_id} too`, event_name })));
  await track(
    sql,
    facts.map(({ user_id }) => ({ type: "identify", event_name: "in", user_id, anonymous_id: `${user_id} too` })),
  );
  await sql`select private.link_analytics_actors()`;
  const [aliases] = await sql`
    select array_agg(private.analytics_actor_id(null, user_id || ' too')) as ids
    from unnest(${facts.map(({ user_id }) => user_id)}::text[]) as user_id`;
  const [blocker, writer, merger] = [connect(url), connect(url), connect(url)];

  let written, moved;
  await blocker.begin(async (blocker) => {
    await blocker`
      select from public.analytics_actor_days where actor_id = ${first!.actor} and event_name = 'b' for update`;
    written = track(writer, facts);
    await untilWaiting(sql, 1);
    moved = merger`select private.move_analytics_actors(${aliases!.ids}::uuid[])`.execute();
    await untilWaiting(sql, 2);
  });
  await Promise.all([written, moved]);

  await Promise.all([blocker, writer, merger].map((connection) => connection.end()));
  const lines = (await metrics(sql)).map((line) => line.slice(11));
  assertEquals(lines.filter((line) => /^[ab] /.test(line)), ["a 3 1", "b 3 1"]);
});
