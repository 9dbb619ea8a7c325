import { assertEquals } from "@std/assert";
import { createTestDatabase } from "../../support/database.ts";
import { isOn, translateContext, translateState, variantOf } from "../../support/unleash_model.ts";
import { specificationCases } from "../../support/unleash_specification.ts";
import { evaluatedInSql } from "./evaluated.ts";

const database = await createTestDatabase();
const cases = await specificationCases();
const answers = await evaluatedInSql(
  database.sql,
  cases.map(({ state, context, toggleName }) => ({
    snapshot: translateState(state),
    key: toggleName,
    context: translateContext(context),
    now: Date.now(),
  })),
);

Deno.test("Unleash's client specification has the 275 cases that are known", () => {
  assertEquals(cases.length, 275);
});

for (const [number, { file, description, expected }] of cases.entries()) {
  Deno.test(`private.evaluated_flag() as Unleash specifies: ${file}, ${description}`, () => {
    const answer = answers[number]!;

    assertEquals(typeof expected === "boolean" ? isOn(answer) : variantOf(answer), expected);
  });
}
