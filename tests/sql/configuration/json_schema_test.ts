import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { put } from "./configurations.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** A schema, values that fit it, and values that do not with the places where they break it. */
const CASES: [schema: unknown, fits: unknown[], breaks: [value: unknown, ...pointers: string[]][]][] = [
  [true, [1, "a", {}], []],
  [false, [], [[1, ""]]],
  [{ type: "integer" }, [1, 1.0, -3], [[1.5, ""], ["1", ""], [true, ""]]],
  [{ type: ["string", "null"] }, ["", null], [[0, ""]]],
  [{ type: "number", minimum: 1, exclusiveMaximum: 3 }, [1, 2.9], [[0.9, ""], [3, ""]]],
  [{ exclusiveMinimum: 1, maximum: 3 }, [1.1, 3, "text"], [[1, ""], [3.1, ""]]],
  [{ multipleOf: 0.01 }, [1.25, 0], [[1.255, ""]]],
  [{ minLength: 2, maxLength: 3 }, ["ab", "é👍", 5], [["a", ""], ["abcd", ""]]],
  [{ pattern: "^\\+2507[0-9]{8}$" }, ["+250788000000"], [["0788000000", ""]]],
  [{ enum: [1, "a", null] }, [1, "a", null], [["b", ""]]],
  [{ const: { a: [1] } }, [{ a: [1] }], [[{ a: [2] }, ""]]],
  [{ items: { type: "string" }, minItems: 1, maxItems: 2 }, [["a"], "no array"], [[[], ""], [["a", 1], "/1"]]],
  [{ uniqueItems: true }, [[1, 2], [{ a: 1 }, { a: 2 }]], [[[1, 1], ""]]],
  [{ required: ["a"], properties: { a: { type: "number" } } }, [{ a: 1, b: "x" }], [[{}, ""], [{ a: "x" }, "/a"]]],
  [{ properties: { a: {} }, additionalProperties: false }, [{ a: 1 }, {}], [[{ a: 1, "b/c~": 1 }, "/b~1c~0"]]],
  [{ additionalProperties: { type: "number" } }, [{ a: 1 }], [[{ a: "x", b: 1 }, "/a"]]],
  [{ propertyNames: { pattern: "^[a-z]+$" }, maxProperties: 1 }, [{ a: 1 }], [[{ A: 1 }, ""], [{ a: 1, b: 1 }, ""]]],
  [{ minProperties: 1 }, [{ a: 1 }], [[{}, ""]]],
  [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [[3, ""]]],
  [{ anyOf: [{ type: "string" }, { minimum: 5 }] }, ["a", 5], [[4, ""]]],
  [{ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, [2, 3], [[6, ""], [5, ""]]],
  [{ not: { type: "string" } }, [1], [["a", ""]]],
];

for (const [schema, fits, breaks] of CASES) {
  test(`a value keeps ${JSON.stringify(schema)}`, async (sql) => {
    for (const [value, ...pointers] of [...fits.map((value): [unknown] => [value]), ...breaks]) {
      const rows = await sql`
        select problem ->> 'pointer' as pointer
        from private.json_value_problems(${JSON.stringify(value)}::text::jsonb, ${
        JSON.stringify(schema)
      }::text::jsonb) as problem`;
      assertEquals(rows.map(({ pointer }) => pointer), pointers, JSON.stringify(value));
    }
  });
}

for (
  const [schema, pointer] of [
    [{ $ref: "#/a" }, "/$ref"],
    [{ format: "email" }, "/format"],
    [{ properties: { a: { if: {} } } }, "/properties/a/if"],
    [{ items: [{ type: "string" }] }, "/items"],
    [{ anyOf: [{ typ: "string" }] }, "/anyOf/0/typ"],
    [{ type: "float" }, "/type"],
    [{ pattern: "(" }, "/pattern"],
    [{ multipleOf: 0 }, "/multipleOf"],
    [{ minLength: -1 }, "/minLength"],
    ["string", ""],
  ] as const
) {
  test(`set_config() refuses the schema ${JSON.stringify(schema)}, which it could not hold values to`, async (sql) => {
    const [code, details] = await refusalOf(sql, (sql) => put(sql, { value: 1, schema }));

    const { problems } = details as { problems: { pointer: string }[] };
    assertEquals([code, problems.map(({ pointer }) => pointer)], ["configuration_schema_unsupported", [pointer]]);
  });
}
