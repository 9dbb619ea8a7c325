import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asPerson, KIGALI, nearby, person, type Place } from "./places.ts";

const MOST = 50;
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

interface Kept {
  label?: string;
  place?: Place;
  type?: string;
  owner?: string | null;
}

async function save(
  sql: TransactionSql,
  { label = "home", place = KIGALI, type = "saved", owner = null }: Kept = {},
): Promise<string> {
  const [row] = await sql`
    select public.save_location(${label}, ${place.lat}, ${place.lng}, ${type}, owner_id => ${owner}) as id`;
  return row!.id;
}

async function signedIn(sql: TransactionSql): Promise<{ userId: string; profileId: string }> {
  const userId = crypto.randomUUID();
  return { userId, profileId: await person(sql, userId) };
}

test("save_location() keeps the caller's place, and moves it when the label comes again", async (sql) => {
  const { userId, profileId } = await signedIn(sql);

  const first = await asPerson(sql, userId, (client) => save(client, { label: "Home" }));
  const again = await asPerson(sql, userId, (client) => save(client, { label: "HOME", place: { lat: 1, lng: 2 } }));

  assertEquals(again, first);
  const rows = await asPerson(sql, userId, (client) => client`select owner_id, label, lat, lng from public.locations`);
  assertEquals([...rows], [{ owner_id: profileId, label: "HOME", lat: 1, lng: 2 }]);
});

test("find_nearby_locations() gives people their own saved places and nobody else's", async (sql) => {
  const [me, other] = [await signedIn(sql), await signedIn(sql)];
  await asPerson(sql, me.userId, (client) => save(client, { label: "work" }));
  await asPerson(sql, other.userId, (client) => save(client));

  const mine = await asPerson(
    sql,
    me.userId,
    (client) => nearby(client, KIGALI, { type: "saved", owner: other.profileId }),
  );
  const theirs = await nearby(sql, KIGALI, { type: "saved", owner: other.profileId });

  assertEquals(mine.map(({ label }) => label), ["work"]);
  assertEquals(theirs.map(({ label }) => label), ["home"]);
});

test("find_nearby_locations() gives everybody the places that the service keeps, the nearest first", async (sql) => {
  const { userId } = await signedIn(sql);
  await save(sql, { label: "Remera", type: "pharmacy", place: { lat: -1.9578, lng: 30.1123 } });
  await save(sql, { label: "Nyarugenge", type: "pharmacy" });
  await save(sql, { label: "Nyarugenge", type: "hardware_shop" });

  const found = await asPerson(sql, userId, (client) => nearby(client, KIGALI, { type: "pharmacy", radius: 10_000 }));

  assertEquals(found.map(({ label, owner_id }) => [label, owner_id]), [["Nyarugenge", null], ["Remera", null]]);
});

test("save_location() refuses people another's place, and one that is everybody's", async (sql) => {
  const [me, other] = [await signedIn(sql), await signedIn(sql)];

  for (const kept of [{ owner: other.profileId }, { type: "pharmacy" }]) {
    const [code] = await asPerson(sql, me.userId, (client) => refusalOf(client, (inner) => save(inner, kept)));
    assertEquals(code, "invalid_argument");
  }
});

for (
  const [fault, kept] of [
    ["a place of nobody's", {}],
    ["an empty label", { label: " ", type: "pharmacy" }],
    ["a place off the Earth", { place: { lat: 0, lng: 181 }, type: "pharmacy" }],
    ["a driver", { type: "driver_moto" }],
  ] as const
) {
  test(`save_location() refuses ${fault}`, async (sql) => {
    assertEquals((await refusalOf(sql, (inner) => save(inner, kept)))[0], "invalid_argument");
  });
}

test("save_location() refuses the service a person that nobody knows", async (sql) => {
  assertEquals(
    (await refusalOf(sql, (inner) => save(inner, { owner: crypto.randomUUID() })))[0],
    "profile_not_found",
  );
});

test(`save_location() keeps ${MOST} places of a person`, async (sql) => {
  const owner = await person(sql);
  for (let number = 1; number <= MOST; number++) await save(sql, { label: `Place ${number}`, owner });

  assertEquals(await refusalOf(sql, (inner) => save(inner, { label: "One more", owner })), [
    "too_many_locations",
    { most: MOST },
  ]);
  await save(sql, { label: "Place 1", owner, place: { lat: 1, lng: 1 } });
});

test("remove_location() removes one's own and leaves another's", async (sql) => {
  const [me, other] = [await signedIn(sql), await signedIn(sql)];
  const theirs = await save(sql, { owner: other.profileId });
  const mine = await save(sql, { owner: me.profileId });
  const remove = (id: string) =>
    asPerson(sql, me.userId, async (client) => {
      const [row] = await client`select public.remove_location(${id}) as was_there`;
      return row!.was_there;
    });

  assertEquals([await remove(theirs), await remove(mine), await remove(mine)], [false, true, false]);
  assertEquals((await nearby(sql, KIGALI, { type: "saved", owner: other.profileId })).length, 1);
});
