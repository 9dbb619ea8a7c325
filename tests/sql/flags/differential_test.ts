import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { compileSnapshot, evaluateFlag } from "../../../shared/flags/evaluate_flag.ts";
import { compileRegex } from "../../../shared/flags/regex_program.ts";
import { createTestDatabase } from "../../support/database.ts";
import { comparison, context, moment, pattern, snapshot, subject } from "../../support/flag_arbitraries.ts";
import { evaluatedInSql, type Question } from "./evaluated.ts";

const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 20_000);
const database = await createTestDatabase();

Deno.test("private.evaluated_flag() and evaluateFlag() agree about random flags, people and moments", async () => {
  const questions: Question[] = fc.sample(
    fc.record({ snapshot, key: fc.constantFrom("first", "second"), context, now: moment }),
    { numRuns: RUNS, ...seeded() },
  );

  await assertAgreement(questions);
});

Deno.test("private.evaluated_flag() and evaluateFlag() agree about what each operator says of texts of its kind", async () => {
  const questions = fc.sample(comparison, { numRuns: RUNS, ...seeded() }).map(({ condition, text }): Question => ({
    snapshot: {
      environment: "test",
      revision: 1,
      segments: {},
      flags: {
        first: {
          is_enabled: true,
          is_client_visible: true,
          variants: { red: 1 },
          prerequisites: [],
          rules: [{ id: "r1", conditions: [condition], variant: "red" }],
        },
      },
    },
    key: "first",
    context: { country: text },
    now: 0,
  }));

  await assertAgreement(questions);
});

Deno.test("private.flag_regex() takes the patterns that compileRegex() takes, and they match the same texts", async () => {
  const cases = fc.sample(fc.record({ pattern, subject, fold: fc.boolean() }), { numRuns: RUNS, ...seeded() });

  const rows = await database.sql<{ matches: boolean | null }[]>`
    select private.flag_text_matches(
      'REGEX', case when asked.fold then private.lower_case(asked.subject) else asked.subject end,
      private.compiled_flag_value('REGEX', asked.pattern, asked.fold) #>> '{}'
    ) as matches
    from jsonb_array_elements(${JSON.stringify(cases)}::text::jsonb) with ordinality as given (element, number)
    cross join lateral jsonb_to_record(given.element) as asked (pattern text, subject text, fold boolean)
    order by given.number`;
  const differing = cases.map((each, number) => ({ ...each, sql: rows[number]!.matches, ts: matchOf(each) }))
    .filter(({ sql, ts }) => sql !== ts);

  assertEquals(differing, []);
});

async function assertAgreement(questions: Question[]): Promise<void> {
  for (let start = 0; start < questions.length; start += 500) {
    const batch = questions.slice(start, start + 500);
    const answers = await evaluatedInSql(database.sql, batch);
    for (const [number, { snapshot, key, context, now }] of batch.entries()) {
      const evaluation = evaluateFlag(compileSnapshot(snapshot), key, context, { now });
      assertEquals(answers[number], evaluation, JSON.stringify({ snapshot, key, context, now }));
    }
  }
}

function matchOf({ pattern, subject, fold }: { pattern: string; subject: string; fold: boolean }): boolean | null {
  try {
    return compileRegex(pattern, fold)(subject);
  } catch {
    return null;
  }
}

/** A failure is repeated with FUZZ_SEED. */
function seeded(): { seed?: number } {
  const seed = Deno.env.get("FUZZ_SEED");
  return seed ? { seed: Number(seed) } : {};
}
