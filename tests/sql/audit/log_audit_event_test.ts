import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { auditRows } from "./audited_table.ts";

const database = await createTestDatabase();

interface Event {
  actor_type: string;
  actor_identifier: string;
  action: string;
  resource_type: string;
  resource_id: string | null;
  metadata: unknown;
}

const EVENT: Event = {
  actor_type: "operator",
  actor_identifier: "6f1c7c2e-8f0e-4c5b-9d5e-250788000000",
  action: "secret.reveal",
  resource_type: "configuration",
  resource_id: "payments/momo_key",
  metadata: { reason: "rotation" },
};

function log(sql: TransactionSql, changes: Partial<Record<keyof Event, unknown>> = {}): Promise<{ id: string }[]> {
  return sql<{ id: string }[]>`
    select public.log_audit_event(event.actor_type, event.actor_identifier, event.action, event.resource_type,
      event.resource_id, event.metadata) as id
    from jsonb_to_record(${JSON.stringify({ ...EVENT, ...changes })}::text::jsonb) as event
      (actor_type text, actor_identifier text, action text, resource_type text, resource_id text, metadata jsonb)`;
}

Deno.test(
  "log_audit_event() writes what the service vouches for, and gives its id",
  rolledBack(database, async (sql) => {
    await sql`select set_config('request.headers', '{"x-correlation-id": "fare-1"}', true)`;
    const [{ id } = { id: "" }] = await as(sql, "service_role", {}, (sql) => log(sql));

    const [row] = await auditRows(sql);
    const { actor_type, actor_identifier, action, resource_type, resource_id, metadata } = row!;
    assertEquals({ actor_type, actor_identifier, action, resource_type, resource_id, metadata }, EVENT);
    assertEquals([row!.id, row!.correlation_id, row!.old_data, row!.new_data], [id, "fare-1", null, null]);
  }),
);

Deno.test(
  "log_audit_event() needs neither a resource's id nor metadata",
  rolledBack(database, async (sql) => {
    await sql`select public.log_audit_event('service', 'dispatch', 'start', 'worker')`;

    const [row] = await auditRows(sql);
    assertEquals([row!.resource_id, row!.metadata], [null, {}]);
  }),
);

Deno.test(
  "log_audit_event() refuses what does not say who did what",
  rolledBack(database, async (sql) => {
    const bad: Partial<Record<keyof Event, unknown>>[] = [
      ...["", "Two words", "UPPER", "1st", "a".repeat(51), null].map((actor_type) => ({ actor_type })),
      ...["", "x".repeat(256), null].map((actor_identifier) => ({ actor_identifier })),
      ...["", "x".repeat(101), null].map((action) => ({ action })),
      ...["", "x".repeat(101), null].map((resource_type) => ({ resource_type })),
      { resource_id: "x".repeat(1_001) },
      ...[[], "text", 1, { long: "x".repeat(20_000) }].map((metadata) => ({ metadata })),
    ];

    for (const changes of bad) {
      assertEquals(await sqlStateOf(sql, (sql) => log(sql, changes)), "PGRST", JSON.stringify(changes).slice(0, 100));
    }
    assertEquals(await auditRows(sql), []);
  }),
);

Deno.test(
  "log_audit_event() is for services only",
  rolledBack(database, async (sql) => {
    for (const role of ["anon", "authenticated"] as const) {
      assertEquals(await as(sql, role, {}, (sql) => sqlStateOf(sql, (sql) => log(sql))), "42501");
    }
  }),
);
