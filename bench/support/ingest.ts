import type { Sql } from "postgres";
import { delivery } from "./deliveries.ts";

/** Stores a delivery as the edge does, without the edge; gives the milliseconds that it took. */
export async function ingest(sql: Sql, body: Uint8Array): Promise<number> {
  const encoded = body.toBase64();
  const startedAt = performance.now();
  await sql`select * from public.ingest_whatsapp_delivery(${encoded})`;
  return performance.now() - startedAt;
}

/** Makes that many people known, as in steady state most senders are; then lets Postgres look at what it has. */
export async function introducePeople(sql: Sql, people: number): Promise<void> {
  for (let firstPerson = 0; firstPerson < people; firstPerson += 500) {
    await ingest(sql, delivery({ items: 500, people: 500, firstPerson }));
  }
  await sql`analyze`;
}
