import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf, createFlag, evaluate, type RuleInput, setEnabled, setRules } from "./flags.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

const condition = (given: RuleInput) => ({ conditions: [given], variant: "on" });
const rollout = (given: RuleInput) => ({ rollout: given, variant: "on" });
const split = (given: RuleInput) => ({ split: given });
const at = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`;

/** Rules that set_feature_flag_rules() refuses for a boolean flag. */
const REFUSED: Record<string, RuleInput> = {
  "an unknown field": { variant: "on", when: "always" },
  "neither variant nor split": {},
  "both variant and split": { variant: "on", split: { weights: [{ variant: "on", weight: 1 }] } },
  "a variant of another flag": { variant: "red" },
  "an id with a space": { id: "the first", variant: "on" },
  "a window that ends before it begins": { active_from: at(2), active_until: at(1), variant: "on" },
  "a window without an offset": { active_from: "2026-11-23T10:00:00", variant: "on" },
  "an unknown operator": condition({ attribute: "country", operator: "LIKE", values: ["R%"] }),
  "no values": condition({ attribute: "country", operator: "IN", values: [] }),
  "an empty value": condition({ attribute: "country", operator: "IN", values: [""] }),
  "a value that is no text": condition({ attribute: "age", operator: "NUM_GT", values: [18] }),
  "no attribute": condition({ operator: "IN", values: ["RW"] }),
  "an attribute that is a position": condition({ attribute: "roles.0", operator: "IN", values: ["driver"] }),
  "a number in words": condition({ attribute: "age", operator: "NUM_GT", values: ["many"] }),
  "a day that no month has": condition({ attribute: "born", operator: "DATE_AFTER", values: ["2026-02-30"] }),
  "a version of two numbers": condition({ attribute: "version", operator: "SEMVER_GT", values: ["1.2"] }),
  "a range beyond the address": condition({ attribute: "ip", operator: "IN_CIDR", values: ["10.0.0.0/33"] }),
  "an abbreviated address": condition({ attribute: "ip", operator: "IN_CIDR", values: ["10.0/8"] }),
  "an open group": condition({ attribute: "email", operator: "REGEX", values: ["(a"] }),
  "a look-ahead": condition({ attribute: "email", operator: "REGEX", values: ["(?=a)b"] }),
  "a back-reference": condition({ attribute: "email", operator: "REGEX", values: ["(a)\\1"] }),
  "an expression that grows out of hand": condition({
    attribute: "email",
    operator: "REGEX",
    values: ["((a{99}){99}){99}"],
  }),
  "case of numbers": condition({ attribute: "age", operator: "NUM_GT", values: ["1"], is_case_insensitive: true }),
  "a segment that is not there": condition({ operator: "IN_SEGMENT", values: ["nowhere"] }),
  "more than everybody": rollout({ percentage: 100.01 }),
  "a step that the normalizer does not know": rollout({ percentage: 0.001 }),
  "half a percent by Unleash's normalizer": rollout({ percentage: 0.5, normalizer: 100 }),
  "a ramp that goes back in time": rollout({ ramp: [{ at: at(2), percentage: 1 }, { at: at(1), percentage: 2 }] }),
  "a ramp of nothing": rollout({ ramp: [] }),
  "nothing to tell people apart by": rollout({ percentage: 1, bucket_by: [] }),
  "weights of nothing": split({ weights: [{ variant: "on", weight: 0 }] }),
  "a negative weight": split({ weights: [{ variant: "on", weight: -1 }, { variant: "off", weight: 2 }] }),
  "a weight for an unknown variant": split({ weights: [{ variant: "red", weight: 1 }] }),
};

for (const [name, rule] of Object.entries(REFUSED)) {
  test(`set_feature_flag_rules() refuses ${name}`, async (sql) => {
    await createFlag(sql, "fare");

    assertEquals(await codeOf(sql, (sql) => setRules(sql, "fare", [rule])), "invalid_argument");
  });
}

test("set_feature_flag_rules() takes every operator", async (sql) => {
  await createFlag(sql, "fare");
  await sql`select public.save_flag_segment('kigali', '[{"attribute": "city", "operator": "IN", "values": ["Kigali"]}]')`;
  const values: Record<string, string> = {
    NUM_EQ: "1",
    NUM_GT: "1",
    NUM_GTE: "1",
    NUM_LT: "1",
    NUM_LTE: "1.5e3",
    DATE_AFTER: "2026-11-23",
    DATE_BEFORE: at(1),
    SEMVER_EQ: "1.2.3",
    SEMVER_GT: "1.2.3-rc.1",
    SEMVER_GTE: "1.2.3",
    SEMVER_LT: "1.2.3",
    SEMVER_LTE: "1.2.3",
    REGEX: "(?i)^\\w+@easymo\\.rw$",
    IN_CIDR: "2001:db8::/32",
    IN: "RW",
    NOT_IN: "RW",
    STR_CONTAINS: "R",
    STR_STARTS_WITH: "R",
    STR_ENDS_WITH: "W",
  };
  const conditions = Object.entries(values).map(([operator, value]) => ({
    attribute: "a.b",
    operator,
    values: [value],
    is_inverted: true,
  }));

  await setRules(sql, "fare", [{
    conditions: [...conditions, { operator: "IN_SEGMENT", values: ["kigali"] }],
    variant: "on",
  }]);

  assertEquals(await evaluate(sql, "fare"), { key: "fare", reason: "DEFAULT", variant: "off", value: false });
});

test("the kill switch holds whatever the rules say", async (sql) => {
  await createFlag(sql, "fare");
  await setRules(sql, "fare", [{ id: "all", variant: "on" }]);
  assertEquals(await evaluate(sql, "fare"), {
    key: "fare",
    reason: "TARGETING_MATCH",
    variant: "on",
    value: true,
    ruleId: "all",
  });

  await setEnabled(sql, "fare", false);

  assertEquals(await evaluate(sql, "fare"), { key: "fare", reason: "DISABLED", variant: "off", value: false });
});

test("set_feature_flag_rules() refuses to write over rules that somebody else has changed", async (sql) => {
  await createFlag(sql, "fare");
  const revision = await setEnabled(sql, "fare", true);
  await setRules(sql, "fare", [], { expectedRevision: revision });

  const again = (sql: TransactionSql) => setRules(sql, "fare", [], { expectedRevision: revision });

  assertEquals(await codeOf(sql, again), "flag_revision_conflict");
});

test("prerequisites must be met for the same person", async (sql) => {
  await createFlag(sql, "wallet");
  await createFlag(sql, "tips");
  await setRules(sql, "wallet", [condition({ attribute: "country", operator: "IN", values: ["RW"] })]);
  await sql`select public.set_feature_flag_prerequisites('tips', '{"wallet": ["on"]}')`;

  assertEquals(await evaluate(sql, "tips", { country: "RW" }), {
    key: "tips",
    reason: "STATIC",
    variant: "on",
    value: true,
  });
  assertEquals(await evaluate(sql, "tips", { country: "UG" }), {
    key: "tips",
    reason: "DISABLED",
    variant: "off",
    value: false,
    prerequisiteKey: "wallet",
  });
});

test("prerequisites cannot go in a circle, or deeper than ten", async (sql) => {
  for (let level = 0; level <= 11; level++) await createFlag(sql, `level-${level}`);
  const need = (sql: TransactionSql, key: string, prerequisite: string) =>
    sql`select public.set_feature_flag_prerequisites(${key}, jsonb_build_object(${prerequisite}::text, '["on"]'::jsonb))`;
  for (let level = 0; level < 10; level++) await need(sql, `level-${level}`, `level-${level + 1}`);

  for (
    const [key, prerequisite] of [["level-3", "level-3"], ["level-10", "level-0"], ["level-10", "level-11"], [
      "level-11",
      "level-0",
    ]] as const
  ) {
    assertEquals(await codeOf(sql, (sql) => need(sql, key, prerequisite)), "flag_prerequisites_circular");
  }
  assertEquals((await evaluate(sql, "level-0") as { variant: string }).variant, "on");
});

test("what other flags build on cannot go away", async (sql) => {
  await createFlag(sql, "wallet", { colours: ["red", "blue"] });
  await createFlag(sql, "tips");
  await sql`select public.set_feature_flag_prerequisites('tips', '{"wallet": ["blue"]}')`;

  assertEquals(await codeOf(sql, (sql) => sql`select public.archive_feature_flag('wallet')`), "flag_in_use");
  assertEquals(
    await codeOf(sql, (sql) => sql`select public.set_feature_flag_variants('wallet', '{"red": "red"}')`),
    "flag_in_use",
  );
});

test("a segment that rules name cannot be deleted, and its change is theirs", async (sql) => {
  const cities = (city: string) => JSON.stringify([{ attribute: "city", operator: "IN", values: [city] }]);
  await createFlag(sql, "fare");
  await sql`select public.save_flag_segment('town', ${cities("Kigali")}::text::jsonb)`;
  await setRules(sql, "fare", [condition({ operator: "IN_SEGMENT", values: ["town"] })]);

  await sql`select public.save_flag_segment('town', ${cities("Huye")}::text::jsonb)`;

  assertEquals((await evaluate(sql, "fare", { city: "Huye" }) as { reason: string }).reason, "TARGETING_MATCH");
  assertEquals(await codeOf(sql, (sql) => sql`select public.delete_flag_segment('town')`), "flag_in_use");
});

test("an archived flag is not found, and comes back as it was", async (sql) => {
  await createFlag(sql, "fare");

  await sql`select public.archive_feature_flag('fare')`;
  assertEquals(await evaluate(sql, "fare"), { key: "fare", errorCode: "FLAG_NOT_FOUND" });

  await sql`select public.archive_feature_flag('fare', false)`;
  assertEquals(await evaluate(sql, "fare"), { key: "fare", reason: "STATIC", variant: "on", value: true });
});

test("a value must be of the flag's type", async (sql) => {
  for (const variants of ['{"a": 1}', '{"a b": "x"}', "{}", "[]"]) {
    const create = (sql: TransactionSql) =>
      sql`select public.create_feature_flag('f', 'string', variants => ${variants}::text::jsonb)`;
    assertEquals(await codeOf(sql, create), "invalid_argument");
  }
});

test("a flag's key is taken once", async (sql) => {
  await createFlag(sql, "fare");

  assertEquals(await codeOf(sql, (sql) => createFlag(sql, "fare")), "flag_exists");
});

test("a new environment has every flag, off", async (sql) => {
  await createFlag(sql, "fare");

  await sql`select public.create_flag_environment('pilot')`;

  const [row] = await sql`select public.evaluate_flag('fare', '{}', 'pilot') as answer`;
  assertEquals(row!.answer, { key: "fare", reason: "DISABLED", variant: "off", value: false });
});

test("every change of a flag is in the audit log, with who made it", async (sql) => {
  await as(sql, "service_role", {}, (sql) => createFlag(sql, "fare"));
  await as(sql, "service_role", {}, (sql) => setEnabled(sql, "fare", false));

  const rows = await sql`
    select actor_type, resource_id, old_data, new_data from public.system_audit_logs
    where resource_type = 'feature_flag_states' and action = 'update' and (new_data ->> 'is_enabled')::boolean is false`;
  assertEquals(rows.map(({ actor_type, resource_id, old_data }) => [actor_type, resource_id, old_data.is_enabled]), [
    ["service", "fare,production", true],
  ]);
});
