import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

async function correlationId(sql: TransactionSql, headers: Record<string, string>): Promise<string | null> {
  await sql`select set_config('request.headers', ${JSON.stringify(headers)}, true)`;
  const [row] = await sql`select private.correlation_id() as id`;
  return row!.id;
}

Deno.test(
  "correlation_id() takes x-correlation-id, else the trace id, else x-request-id",
  rolledBack(database, async (sql) => {
    const all = { "x-correlation-id": "fare-1", traceparent: TRACEPARENT, "x-request-id": "request-1" };
    const { "x-correlation-id": _, ...untold } = all;

    assertEquals(await correlationId(sql, all), "fare-1");
    assertEquals(await correlationId(sql, untold), TRACE);
    assertEquals(await correlationId(sql, { "x-request-id": "request-1" }), "request-1");
    assertEquals(await correlationId(sql, {}), null);
  }),
);

Deno.test(
  "correlation_id() believes only what is well formed",
  rolledBack(database, async (sql) => {
    const refused = [
      "",
      " ",
      "a b",
      "a\n",
      "a\nb",
      "a'; drop table profiles; --",
      "<script>",
      "${jndi:ldap}",
      "½",
      "a/b",
      "a".repeat(65),
      '{"a":1}',
    ];
    for (const id of refused) assertEquals(await correlationId(sql, { "x-correlation-id": id }), null, id);
    for (const id of ["a", "A-Z_0.9:b", "a".repeat(64)]) {
      assertEquals(await correlationId(sql, { "x-correlation-id": id }), id);
    }
  }),
);

Deno.test(
  "correlation_id() passes over what is ill formed",
  rolledBack(database, async (sql) => {
    const request = { "x-request-id": "request-1" };

    assertEquals(await correlationId(sql, { ...request, "x-correlation-id": "a b" }), "request-1");
    for (
      const traceparent of [
        "",
        "nonsense",
        `00-${TRACE}`,
        `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`,
        `zz-${TRACE}-00f067aa0ba902b7-01`,
      ]
    ) {
      assertEquals(await correlationId(sql, { ...request, traceparent }), "request-1", traceparent);
    }
  }),
);

Deno.test(
  "continue_correlation() wins over the request that continues the work",
  rolledBack(database, async (sql) => {
    await sql`select private.continue_correlation('fare-1')`;
    assertEquals(await correlationId(sql, { "x-correlation-id": "worker-7" }), "fare-1");

    await sql`select private.continue_correlation(null)`;
    assertEquals(await correlationId(sql, { "x-correlation-id": "worker-7" }), "worker-7");
  }),
);

Deno.test("correlation_id() is null again in the next transaction of the same connection", async () => {
  const sql = connect(database.url);
  await sql.begin(async (sql) => {
    await sql`select private.continue_correlation('fare-1')`;
    await correlationId(sql, { "x-correlation-id": "fare-2" });
  });

  const [row] = await sql`select current_setting('request.headers') as headers, private.correlation_id() as id,
    private.request_header('x-actor') as actor`;
  assertEquals([row!.headers, row!.id, row!.actor], ["", null, null]);
  await sql.end();
});

Deno.test(
  "rows take the correlation id of the request that makes them",
  rolledBack(database, async (sql) => {
    await correlationId(sql, { "x-correlation-id": "fare-1" });

    const [row] = await sql`
      insert into public.idempotency_keys (caller, route, key, fingerprint, status, body)
      values ('nobody', 'POST /pay', 'k', '', 200, '{}') returning correlation_id`;
    assertEquals(row!.correlation_id, "fare-1");
  }),
);
