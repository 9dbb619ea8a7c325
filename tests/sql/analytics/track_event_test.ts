import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";
import { asUser, createUser } from "../foundation/people.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

test("track_event() stores an event of the user who calls", async (sql) => {
  const user = await createUser(sql);

  const [row] = await asUser(
    sql,
    user,
    (client) =>
      client`select public.track_event('ride_booked', 'rides', '{"fare": 1500}', session_id => 's1') as is_stored`,
  );

  assertEquals(row!.is_stored, true);
  const [event] = await sql`
    select actor_id, event_category, properties, session_id from public.analytics_events`;
  assertEquals({ ...event }, {
    actor_id: user,
    event_category: "rides",
    properties: { fare: 1500 },
    session_id: "s1",
  });
});

test("track_event() says that nothing is kept of a user who has opted out", async (sql) => {
  const user = await createUser(sql);
  await sql`select public.suppress_analytics_user(${user})`;

  const [row] = await asUser(sql, user, (client) => client`select public.track_event('ride_booked') as is_stored`);

  assertEquals(row!.is_stored, false);
});

test("track_event() refuses a nameless event, and more than 32768 characters", async (sql) => {
  const user = await createUser(sql);
  const code = (statement: string) => asUser(sql, user, (client) => codeOf(client, (inner) => inner.unsafe(statement)));

  assertEquals(await code("select public.track_event('')"), "invalid_argument");
  assertEquals(await code("select public.track_event('*')"), "invalid_argument");
  assertEquals(
    await code("select public.track_event('a', properties => jsonb_build_object('a', repeat('x', 32768)))"),
    "invalid_argument",
  );
});

test("track_event() has a rate for each user", async (sql) => {
  await sql`update private.analytics_settings set user_events_per_minute = 1`;
  const [user, other] = [await createUser(sql), await createUser(sql)];
  const call = (who: string) => asUser(sql, who, (client) => client`select public.track_event('ride_booked')`);

  await call(user);
  await call(user);
  await call(other);

  assertEquals(await codeOf(sql, () => call(user)), "rate_limited");
});
