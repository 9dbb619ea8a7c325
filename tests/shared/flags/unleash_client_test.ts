import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { compileSnapshot, evaluateFlag } from "../../../shared/flags/evaluate_flag.ts";
import { unleashContext, unleashState } from "../../support/unleash_arbitraries.ts";
import { unleashClient } from "../../support/unleash_client.ts";
import { isOn, translateContext, translateState, variantOf } from "../../support/unleash_model.ts";

Deno.test("evaluateFlag() says what Unleash's own client says, for random features and people", () => {
  const people = fc.array(unleashContext, { minLength: 7, maxLength: 7 });

  fc.assert(
    fc.property(unleashState, people, (state, contexts) => {
      const oracle = unleashClient(state);
      const set = compileSnapshot(translateState(state));
      for (const context of contexts) {
        for (const { name } of state.features) {
          const evaluation = evaluateFlag(set, name, translateContext(context));
          const { featureEnabled: _, ...variant } = oracle.getVariant(name, context);
          assertEquals(isOn(evaluation), oracle.isEnabled(name, context, () => false));
          assertEquals(variantOf(evaluation), variant);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
