import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { documentOf, put } from "./configurations.ts";

const database = await createTestDatabase();

const SERVICES = ["all", "payments", "rides"];
const ENVIRONMENTS = ["all", "production", "staging"];
const write = fc.record({
  service: fc.constantFrom(...SERVICES),
  environment: fc.constantFrom(...ENVIRONMENTS),
  key: fc.constantFrom("a", "b"),
  value: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(null)),
  isPublic: fc.boolean(),
});

interface Modelled {
  value: number;
  isPublic: boolean;
}

/** What a document holds, looked up place by place from the most specific on. */
function expectedIn(model: Map<string, Modelled>, service: string, environment: string, isForClients: boolean) {
  const entries: Record<string, [unknown, string]> = {};
  for (const key of ["a", "b"]) {
    const places = [`${service}/${environment}`, `${service}/all`, `all/${environment}`, "all/all"];
    const place = places.find((place) => model.has(`${place}/${key}`));
    const found = place && model.get(`${place}/${key}`);
    if (found && (found.isPublic || !isForClients)) entries[key] = [found.value, place];
  }
  return entries;
}

Deno.test("documents are what a model says after any writes, and their versions never go back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 15 }), async (writes) => {
      await rolledBack(database, async (sql) => {
        const model = new Map<string, Modelled>();
        const versions = new Map<string, number>();
        for (const { service, environment, key, value, isPublic } of writes) {
          const id = `${service}/${environment}/${key}`;
          if (value !== null) {
            await put(sql, { service, environment, key, value, isPublic });
            model.set(id, { value, isPublic });
          } else if (model.delete(id)) {
            await sql`select public.delete_config(${service}, ${key}, ${environment})`;
          }
          for (const isForClients of [true, false]) {
            const document = isForClients
              ? (await sql`select public.get_public_configs('payments', 'production') as document`)[0]!.document
              : await documentOf(sql, "payments", "production");
            const seen = Object.fromEntries(
              Object.entries(document.entries as Awaited<ReturnType<typeof documentOf>>["entries"]).map((
                [key, { value, origin }],
              ) => [key, [value, `${origin.service}/${origin.environment}`]]),
            );
            assertEquals(seen, expectedIn(model, "payments", "production", isForClients));
            const state = `${isForClients} ${JSON.stringify(seen)}`;
            const last = versions.get(String(isForClients)) ?? 0;
            assertEquals(document.version >= last, true, state);
            versions.set(String(isForClients), document.version);
          }
        }
      })();
    }),
    { numRuns: 25 },
  );
});

Deno.test("of writers that expect the same version one wins, every time", async () => {
  const connections = Array.from({ length: 4 }, () => connect(database.url));
  try {
    for (let version = 0; version < 10; version++) {
      const outcomes = await Promise.all(
        connections.map((connection, writer) =>
          connection.begin((sql) => put(sql, { value: version * 10 + writer, expected: version })).then(
            () => "won",
            (error) => JSON.parse(error.message).code,
          )
        ),
      );

      assertEquals(outcomes.sort(), [...Array(3).fill("configuration_version_conflict"), "won"]);
    }
    const [row] = await database
      .sql`select count(*)::int as count, max(version)::int as version from public.configuration_history`;
    assertEquals({ ...row }, { count: 10, version: 10 });
  } finally {
    await Promise.all(connections.map((connection) => connection.end()));
  }
});
