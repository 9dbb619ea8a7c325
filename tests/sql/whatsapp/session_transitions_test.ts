import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { history, onlySession, openSession, refusalOf, transition } from "./sessions.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("transition_whatsapp_session() moves the session one version on and keeps the step", async (sql) => {
  const session = await openSession(sql);

  const asking = await transition(sql, session, "asking:pickup", { vehicle: "moto" });
  await transition(sql, asking, "idle");

  assertEquals([asking.id, asking.state, asking.version], [session.id, "asking:pickup", 2]);
  assertEquals(asking.context, { vehicle: "moto" });
  assertEquals(await history(sql), [
    { reason: "requested", from_state: "idle", to_state: "asking:pickup", version: 2, context: { vehicle: "moto" } },
    { reason: "requested", from_state: "asking:pickup", to_state: "idle", version: 3, context: {} },
  ]);
});

test("the history says who moved the session, and in which piece of work", async (sql) => {
  const session = await openSession(sql);
  await sql`select set_config('request.headers', '{"x-actor": "bot", "x-correlation-id": "tap-1"}', true)`;

  await as(sql, "service_role", {}, (client) => transition(client, session, "asking"));

  const [step] = await sql`select actor, correlation_id from public.whatsapp_session_transitions`;
  assertEquals([step!.actor, step!.correlation_id], ["service_role:bot", "tap-1"]);
});

test("a version that is not the session's is refused with the one that is", async (sql) => {
  const session = await openSession(sql);
  await transition(sql, session, "asking");

  const refusal = await refusalOf(sql, (inner) => transition(inner, session, "paying"));

  assertEquals(refusal, ["session_version_conflict", { current_version: 2 }]);
  assertEquals((await onlySession(sql)).state, "asking");
});

test("no version at all is a conflict, not a pass", async (sql) => {
  const { id } = await openSession(sql);

  const [code] = await refusalOf(sql, (inner) => transition(inner, { id, version: null! }, "asking"));

  assertEquals(code, "session_version_conflict");
});

test("a session that nobody knows is refused", async (sql) => {
  const [code] = await refusalOf(sql, (inner) => transition(inner, { id: crypto.randomUUID(), version: 1 }, "asking"));

  assertEquals(code, "session_not_found");
});

const FAULTS: [argument: string, state: string, context: unknown, expiresIn?: string][] = [
  ["state", "", {}],
  ["state", "Asking where to", {}],
  ["state", "a".repeat(65), {}],
  ["context", "asking", []],
  ["context", "asking", null],
  ["context", "asking", { note: "x".repeat(8192) }],
  ["expires_in", "asking", {}, "0 seconds"],
  ["expires_in", "asking", {}, "31 days"],
];

for (const [argument, state, context, expiresIn] of FAULTS) {
  const given = JSON.stringify([state, context, expiresIn]).slice(0, 40);
  test(`a ${argument} out of range is refused: ${given}`, async (sql) => {
    const session = await openSession(sql);

    const refusal = await refusalOf(sql, (inner) => transition(inner, session, state, context, expiresIn));

    assertEquals(refusal, ["invalid_argument", { argument }]);
  });
}

test("a context of 8 KiB fits", async (sql) => {
  const session = await openSession(sql);
  const context = { note: "x".repeat(8192 - '{"note": ""}'.length) };

  assertEquals((await transition(sql, session, "asking", context)).context, context);
});

Deno.test("of two writers with one version one wins and the other is told", async () => {
  const [one, other] = [connect(database.url), connect(database.url)];
  const session = await one.begin(openSession);

  let second: Promise<unknown> = Promise.resolve();
  await one.begin(async (sql) => {
    await transition(sql, session, "first");
    second = other.begin((sql) => refusalOf(sql, (inner) => transition(inner, session, "second")));
    await untilSomebodyWaits(database.sql);
  });

  assertEquals(await second, ["session_version_conflict", { current_version: 2 }]);
  const [row] = await database.sql`select state from public.whatsapp_sessions where id = ${session.id}`;
  assertEquals(row!.state, "first");
  await Promise.all([one.end(), other.end()]);
});
