import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { append, appendAll, type Draft, draft, type Receipt, refusalOf, streamOf } from "./events.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const ONE = "01a204ec-d44e-785a-b953-060770745001";
const TWO = "01a204ec-d44e-785a-b953-060770745002";
const THREE = "01a204ec-d44e-785a-b953-060770745003";

function duplicate(receipt: Receipt): Receipt {
  return { ...receipt, is_duplicate: true };
}

test("an event that comes again is answered as it is stored, and not appended", async (sql) => {
  const first = await append(sql, { event_id: ONE, payload: { seats: 1 }, expected_version: 0 });
  await append(sql);

  const again = await append(sql, { event_id: ONE, payload: { seats: 1 }, expected_version: 0 });

  assertEquals(again, duplicate(first));
  assertEquals((await streamOf(sql)).map(({ version }) => version), ["1", "2"]);
  assertEquals((await append(sql, { expected_version: 2 })).version, "3");
});

test("a batch that comes again is answered as it is stored, in its order", async (sql) => {
  const batch = [draft({ event_id: TWO }), draft({ event_id: ONE }), draft({ aggregate_id: "t2", event_id: THREE })];
  const first = await appendAll(sql, ...batch);

  assertEquals(await appendAll(sql, ...batch), first.map(duplicate));
  assertEquals((await streamOf(sql)).length, 2);
  assertEquals((await streamOf(sql, "t2")).length, 1);
});

test("streams whose events are known stay as they are beside streams that get new ones", async (sql) => {
  await append(sql, { event_id: ONE });

  const receipts = await appendAll(
    sql,
    draft({ aggregate_id: "t2" }),
    draft({ event_id: ONE, expected_version: 0 }),
    draft({ aggregate_id: "t2", event_id: TWO, expected_version: 0 }),
  );

  assertEquals(
    receipts.map(({ aggregate_id, version, is_duplicate }) => [aggregate_id, version, is_duplicate]),
    [["t1", "1", true], ["t2", "1", false], ["t2", "2", false]],
  );
  assertEquals((await append(sql, { expected_version: 1 })).version, "2");
});

const REUSES: [what: string, fields: Draft][] = [
  ["in another stream", { aggregate_id: "t2" }],
  ["in a stream of another kind", { aggregate_type: "ride" }],
  ["with another type", { event_type: "trip.parked" }],
  ["with another payload", { payload: { seats: 2 } }],
  ["with another schema version", { schema_version: 2 }],
];

for (const [what, fields] of REUSES) {
  test(`an event id that comes again ${what} is refused`, async (sql) => {
    await append(sql, { event_id: ONE });

    const refusal = await refusalOf(sql, (sql) => append(sql, { event_id: ONE, ...fields }));

    assertEquals(refusal, ["event_id_reused", { event_id: ONE }]);
  });
}

test("a batch of which a stream's events are known in part is refused, whichever part it is", async (sql) => {
  await append(sql, { event_id: ONE });

  for (const other of [draft({ event_id: TWO }), draft()]) {
    for (const batch of [[draft({ event_id: ONE }), other], [other, draft({ event_id: ONE })]]) {
      const [code] = await refusalOf(sql, (sql) => appendAll(sql, ...batch));
      assertEquals(code, "event_id_reused");
    }
  }
  assertEquals((await streamOf(sql)).length, 1);
});

test("an event id twice in one batch is refused", async (sql) => {
  for (const aggregate_id of ["t1", "t2"]) {
    const twice = [draft({ event_id: ONE }), draft({ event_id: ONE, aggregate_id })];
    const [code] = await refusalOf(sql, (sql) => appendAll(sql, ...twice));
    assertEquals(code, "event_id_reused");
  }
});

test("ids are known for 35 days, and ids of our own are not kept", async (sql) => {
  await append(sql);
  await append(sql, { event_id: ONE });
  await append(sql, { event_id: TWO });
  await sql`update public.event_keys set appended_at = now() - interval '36 days' where event_id = ${ONE}`;

  await sql`select private.run_scheduled_job('purge-event-keys')`;

  assertEquals([...await sql`select event_id from public.event_keys`], [{ event_id: TWO }]);
});

Deno.test("of two that append the same event at once, one appends and the other is told where", async () => {
  const [one, two] = [connect(database.url), connect(database.url)];
  const event = { aggregate_id: "raced", event_id: crypto.randomUUID() };
  let second: Promise<Receipt> | undefined;

  const first = await one.begin(async (sql) => {
    const receipt = await append(sql, event);
    second = append(two, event);
    await untilSomebodyWaits(database.sql);
    return receipt;
  });

  assertEquals(await second, duplicate(first));
  assertEquals((await streamOf(database.sql, "raced")).length, 1);
  await Promise.all([one.end(), two.end()]);
});

Deno.test("of two that use one event id in two streams at once, the later is refused", async () => {
  const [one, two] = [connect(database.url), connect(database.url)];
  const event_id = crypto.randomUUID();
  let second: Promise<string> | undefined;

  await one.begin(async (sql) => {
    await append(sql, { aggregate_id: "first", event_id });
    second = append(two, { aggregate_id: "second", event_id }).then(
      () => "appended",
      (error) => JSON.parse(error.message).code,
    );
    await untilSomebodyWaits(database.sql);
  });

  assertEquals(await second, "event_id_reused");
  assertEquals(await streamOf(database.sql, "second"), []);
  await Promise.all([one.end(), two.end()]);
});
