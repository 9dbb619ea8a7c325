import { assertEquals } from "@std/assert";
import { compileSnapshot, evaluateFlag } from "../../../shared/flags/evaluate_flag.ts";
import { isOn, translateContext, translateState, variantOf } from "../../support/unleash_model.ts";
import { specificationCases } from "../../support/unleash_specification.ts";

const cases = await specificationCases();

Deno.test("Unleash's client specification has the 275 cases that are known", () => {
  assertEquals(cases.length, 275);
});

for (const { file, description, state, context, toggleName, expected } of cases) {
  Deno.test(`evaluateFlag() as Unleash specifies: ${file}, ${description}`, () => {
    const evaluation = evaluateFlag(compileSnapshot(translateState(state)), toggleName, translateContext(context));

    assertEquals(typeof expected === "boolean" ? isOn(evaluation) : variantOf(evaluation), expected);
  });
}
