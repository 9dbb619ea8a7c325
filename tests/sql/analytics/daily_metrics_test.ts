import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { daysAgo, metrics, recount, track } from "./analytics.ts";

const database = await createTestDatabase();

Deno.test(
  "refresh_daily_metrics() counts events and people by name and for all names",
  rolledBack(database, async (sql) => {
    const received_at = `${daysAgo(1).slice(0, 10)}T12:00:00Z`;
    const day = received_at.slice(0, 10);
    await track(sql, [
      { user_id: "a", event_name: "looked" },
      { user_id: "a", event_name: "looked" },
      { user_id: "a", event_name: "booked" },
      { user_id: "b", event_name: "looked" },
    ], { received_at });

    assertEquals(await metrics(sql), [`${day} * 4 2`, `${day} booked 1 1`, `${day} looked 3 2`]);
  }),
);

Deno.test(
  "refresh_daily_metrics() touches the days that have changed, late ones too, and no other",
  rolledBack(database, async (sql) => {
    const refresh = async () =>
      (await sql`select day::text from public.refresh_daily_metrics() as day`).map(({ day }) => day);
    const late = `${daysAgo(90).slice(0, 10)}T12:00:00Z`;
    await track(sql, [{ user_id: "a" }]);
    await refresh();

    await track(sql, [{ user_id: "a", timestamp: late }, { user_id: "b", timestamp: late }]);

    assertEquals([await refresh(), await refresh()], [[late.slice(0, 10)], []]);
    assertEquals(await metrics(sql), await recount(sql));
  }),
);

Deno.test("a batch that commits after a refresh has begun is counted by the next", async () => {
  const { sql, url } = await createTestDatabase();
  const pool = connect(url);
  const writer = await pool.reserve();
  await track(sql, [{ user_id: "a" }]);
  await writer`begin`;
  await track(writer, [{ user_id: "b" }]);

  await metrics(sql);
  await writer`commit`;

  writer.release();
  await pool.end();
  assertEquals(await metrics(sql), await recount(sql));
});

Deno.test(
  "daily_metrics is for operators and the service",
  rolledBack(database, async (sql) => {
    const user = await createUser(sql);
    await track(sql, [{ user_id: "a" }]);
    await metrics(sql);
    const read = (claims: Record<string, unknown>) =>
      asUser(sql, user, (client) => client`select * from public.daily_metrics`, claims);

    assertEquals(await codeOf(sql, () => read({})), "operator_required");
    assertEquals((await read({ app_metadata: { role: "operator" } })).length, 2);
    assertEquals((await as(sql, "service_role", {}, (client) => client`select * from public.daily_metrics`)).length, 2);
  }),
);

Deno.test(
  "analytics_summary and user_engagement_metrics tell the last 30 days",
  rolledBack(database, async (sql) => {
    await track(sql, [
      { user_id: "a", timestamp: daysAgo(0) },
      { user_id: "a", timestamp: daysAgo(3) },
      { user_id: "b", timestamp: daysAgo(20) },
      { user_id: "c", timestamp: daysAgo(31) },
    ]);

    const [summary] = await sql`
      select events_today::int, events_7_days::int, events_30_days::int, actors_today::int, actors_7_days::int, actors_30_days::int
      from public.analytics_summary`;
    const engagement = await sql`
      select active_days_7_days::int, active_days_30_days::int, days_since_last from public.user_engagement_metrics
      order by days_since_last`;

    assertEquals(Object.values(summary!), [1, 2, 3, 1, 1, 2]);
    assertEquals(engagement.map((row) => Object.values(row)), [[2, 2, 0], [0, 1, 20]]);
  }),
);
