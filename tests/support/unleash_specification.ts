import type { UnleashContext, UnleashState } from "./unleash_model.ts";

/** One case of Unleash's client specification. */
export interface SpecificationCase {
  file: string;
  description: string;
  state: UnleashState;
  context: UnleashContext;
  toggleName: string;
  expected: boolean | Record<string, unknown>;
}

interface SpecificationFile {
  state: UnleashState | { events: unknown[] };
  tests?: { description: string; context: UnleashContext; toggleName: string; expectedResult: boolean }[];
  variantTests?: {
    description: string;
    context: UnleashContext;
    toggleName: string;
    expectedResult: Record<string, unknown>;
  }[];
}

/** Every case of the specification, but those of the delta API, a matter of transport (4 of 279). */
export async function specificationCases(): Promise<SpecificationCase[]> {
  const folder = new URL(".", import.meta.resolve("@unleash/client-specification/specifications/index.json"));
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(new URL(name, folder)));
  const names: string[] = await read("index.json");
  const files = await Promise.all(
    names.map(async (name): Promise<[string, SpecificationFile]> => [name, await read(name)]),
  );
  return files.flatMap(([file, { state, tests = [], variantTests = [] }]) =>
    "features" in state
      ? [...tests, ...variantTests].map(({ expectedResult, ...each }) => ({
        file,
        state,
        expected: expectedResult,
        ...each,
      }))
      : []
  );
}
