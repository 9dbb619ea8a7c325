import { assert, assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();

Deno.test(
  "uuid_v7() keeps its time to the microsecond",
  rolledBack(database, async (sql) => {
    const [row] = await sql`
      select count(*)::int as wrong from generate_series(0, 9999) as n,
        lateral (select 'epoch'::timestamptz + make_interval(secs => 1800000000 + 0.000001 * (n * 104729 % 1000000)) as at) as moment
      where private.uuid_v7_time(private.uuid_v7(at)) <> at`;

    assertEquals(row!.wrong, 0);
  }),
);

Deno.test(
  "uuid_v7_floor() is at or below every id of its time and above every earlier one",
  rolledBack(database, async (sql) => {
    const [row] = await sql`
      select bool_and(private.uuid_v7_floor(at) <= private.uuid_v7(at)) as below,
        bool_and(private.uuid_v7_floor(at) > private.uuid_v7(at - interval '1 microsecond')) as above
      from generate_series(now(), now() + interval '1 millisecond', interval '1 microsecond') as at`;

    assert(row!.below);
    assert(row!.above);
  }),
);

Deno.test(
  "uuid_v7() makes ids that sort in the order they were made",
  rolledBack(database, async (sql) => {
    const rows = await sql<{ id: string }[]>`
      select private.uuid_v7(now() + n * interval '1 microsecond') as id from generate_series(1, 5000) as n order by n`;

    const ids = rows.map((row) => row.id);
    assertEquals(ids, [...ids].sort());
    assertEquals(new Set(ids.map((id) => `${id[14]}${"89ab".includes(id[19]!)}`)), new Set(["7true"]));
  }),
);
