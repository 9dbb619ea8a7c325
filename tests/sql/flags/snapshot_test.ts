import { assertEquals, assertNotEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { compileSnapshot, evaluateFlag } from "../../../shared/flags/evaluate_flag.ts";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { codeOf, createFlag, evaluate, setEnabled, setRules, takeSnapshot } from "./flags.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

test("flag_snapshot() answers nothing while nothing has changed, and more with every change", async (sql) => {
  await createFlag(sql, "fare");
  const first = (await takeSnapshot(sql))!;

  assertEquals(await takeSnapshot(sql, first.revision), null);
  await setEnabled(sql, "fare", true);
  assertEquals(await takeSnapshot(sql, first.revision), null);
  await setEnabled(sql, "fare", false);
  const second = (await takeSnapshot(sql, first.revision))!;

  assertEquals(second.revision > first.revision, true);
  assertEquals([first.flags.fare!.is_enabled, second.flags.fare!.is_enabled], [true, false]);
});

test("a change in one environment leaves the revision of the others", async (sql) => {
  await createFlag(sql, "fare");
  const revisionOf = async () =>
    (await sql`select revision from public.flag_environments where environment = 'staging'`)[0]!.revision;
  const before = await revisionOf();

  await setRules(sql, "fare", [{ variant: "on" }]);

  assertEquals(await revisionOf(), before);
});

test("flag_snapshot() holds what was written, as evaluators count it", async (sql) => {
  await createFlag(sql, "fare", { colours: ["red", "blue"] });
  await sql`select public.save_flag_segment('town', '[{"attribute": "city", "operator": "IN", "values": ["Huye"]}]')`;
  await sql`select public.save_flag_segment('unused', '[]')`;
  const ramp = [{ at: "2026-11-23T00:00:00Z", percentage: 0.01 }, {
    at: "2026-11-24T00:00:00+02:00",
    percentage: 33.33,
  }];
  await setRules(sql, "fare", [
    { conditions: [{ operator: "IN_SEGMENT", values: ["town"] }], active_from: "2026-11-23", variant: "blue" },
    {
      id: "grow",
      rollout: { ramp },
      split: { weights: [{ variant: "blue", weight: 3 }, { variant: "red", weight: 1 }], seed: "s" },
    },
  ], { others: "red" });

  const snapshot = (await takeSnapshot(sql))!;

  assertEquals(Object.keys(snapshot.segments), ["town"]);
  assertEquals(snapshot.flags.fare, {
    is_enabled: true,
    is_client_visible: false,
    variants: { red: "red", blue: "blue" },
    default_variant: "red",
    off_variant: "red",
    prerequisites: [],
    rules: [
      {
        id: "rule-1",
        conditions: [{ operator: "IN_SEGMENT", values: ["town"] }],
        active_from: Date.UTC(2026, 10, 23),
        variant: "blue",
      },
      {
        id: "grow",
        conditions: [],
        rollout: {
          bucket_by: ["targetingKey"],
          seed: "fare",
          normalizer: 10_000,
          ramp: [{ at: Date.UTC(2026, 10, 23), threshold: 1 }, { at: Date.UTC(2026, 10, 23, 22), threshold: 3_333 }],
        },
        split: {
          bucket_by: ["targetingKey"],
          seed: "s",
          weights: [{ variant: "blue", weight: 3 }, { variant: "red", weight: 1 }],
        },
      },
    ],
  });
});

test("what SQL serves from its tables is what evaluateFlag() makes of the snapshot", async (sql) => {
  await createFlag(sql, "fare", { colours: ["red", "blue"] });
  await setRules(sql, "fare", [
    { conditions: [{ attribute: "version", operator: "SEMVER_GTE", values: ["2.0.0"] }], variant: "blue" },
    {
      rollout: { percentage: 50 },
      split: { weights: [{ variant: "red", weight: 1 }, { variant: "blue", weight: 1 }] },
    },
  ], { others: "red" });
  const set = compileSnapshot((await takeSnapshot(sql))!);
  const people = Array.from(
    { length: 200 },
    (_, number) => ({ targetingKey: `umuntu-é-${number}`, version: `${number % 4}.0.0` }),
  );

  const served = [];
  for (const person of people) served.push(await evaluate(sql, "fare", person));

  assertEquals(served, people.map((person) => evaluateFlag(set, "fare", person)));
  assertNotEquals(new Set(served.map((each) => JSON.stringify(each))).size, 1);
});

test("clients evaluate client-visible flags, and are not told why", async (sql) => {
  await createFlag(sql, "public", { isClientVisible: true });
  await createFlag(sql, "secret");
  await setRules(sql, "public", [{ id: "vip-list", variant: "on" }]);
  await sql`select public.set_feature_flag_prerequisites('public', '{"secret": ["on"]}')`;

  for (const role of ["anon", "authenticated"] as const) {
    const [row] = await as(
      sql,
      role,
      {},
      (sql) =>
        sql`select public.evaluate_flags() as answer, public.is_feature_enabled('secret') as secret, public.is_feature_enabled('public') as open`,
    );
    assertEquals(row!.answer.flags, [{ key: "public", reason: "TARGETING_MATCH", variant: "on", value: true }]);
    assertEquals([row!.secret, row!.open], [false, true]);
  }
});

test("clients reach neither rules nor snapshots, and change nothing", async (sql) => {
  await createFlag(sql, "fare");
  const attempts = [
    "select * from public.feature_flag_rules",
    "select * from public.flag_segments",
    "select * from private.flag_definitions",
    "select public.flag_snapshot()",
    "select private.flag_snapshot('production', null)",
    "select public.record_flag_evaluations('production', '[]')",
  ];

  for (const role of ["anon", "authenticated"] as const) {
    for (const attempt of attempts) {
      assertEquals([attempt, await sqlStateOf(sql, (sql) => as(sql, role, {}, (sql) => sql.unsafe(attempt)))], [
        attempt,
        "42501",
      ]);
    }
  }
});

test("people who are no registered operators change no flag", async (sql) => {
  const user = crypto.randomUUID();
  const operator = { sub: user, app_metadata: { role: "operator" } };
  await sql`insert into auth.users (id) values (${user})`;
  await createFlag(sql, "fare");
  const kill = (claims: Record<string, unknown>) => (sql: TransactionSql) =>
    as(sql, "authenticated", claims, (sql) => setEnabled(sql, "fare", false));

  assertEquals(await codeOf(sql, kill({ sub: user })), "operator_required");
  assertEquals(await codeOf(sql, kill(operator)), "operator_required");
  await sql`insert into private.operators (user_id, reason) values (${user}, 'a test')`;
  await kill(operator)(sql);

  assertEquals((await evaluate(sql, "fare") as { reason: string }).reason, "DISABLED");
});

test("evaluate_flags() refuses what is no context, and no environment", async (sql) => {
  for (const context of ["[]", "null", '"x"', JSON.stringify({ long: "x".repeat(20_000) })]) {
    assertEquals(
      await codeOf(sql, (sql) => sql`select public.evaluate_flags(${context}::text::jsonb)`),
      "invalid_argument",
    );
  }
  assertEquals(
    await codeOf(sql, (sql) => sql`select public.evaluate_flags('{}', 'moon')`),
    "flag_environment_not_found",
  );
});

test("a rollout without a targeting key says that it is missing", async (sql) => {
  await createFlag(sql, "fare");
  await setRules(sql, "fare", [{ rollout: { percentage: 50 }, variant: "on" }]);

  assertEquals(await evaluate(sql, "fare"), { key: "fare", errorCode: "TARGETING_KEY_MISSING" });
});

test("a flag that another depends on is met by the change at once, inside the same transaction", async (sql) => {
  await createFlag(sql, "fare", { colours: ["red", "blue"] });

  await sql`update public.feature_flag_states set default_variant = 'blue' where flag_key = 'fare'`;

  assertEquals(await evaluate(sql, "fare"), { key: "fare", reason: "STATIC", variant: "blue", value: "blue" });
});
