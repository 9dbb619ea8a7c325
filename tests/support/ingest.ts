import type { TransactionSql } from "postgres";

/** What `ingest_whatsapp_delivery()` answers. */
export interface Receipt {
  delivery_id: string;
  is_copy: boolean;
  item_count: number;
  stored_count: number;
  duplicate_count: number;
  stale_count: number;
  unroutable_count: number;
  dead_letter_count: number;
}

/** Ingests a body as the webhook does. */
export async function ingest(sql: TransactionSql, body: Uint8Array): Promise<Receipt> {
  const base64 = btoa(String.fromCharCode(...body));
  const [receipt] = await sql<Receipt[]>`select * from public.ingest_whatsapp_delivery(${base64})`;
  return receipt!;
}

/** The outcomes of a delivery's items, in the order of their paths. */
export async function outcomesOf(sql: TransactionSql, deliveryId: string): Promise<string[]> {
  const rows = await sql`select outcome, reason from private.whatsapp_items_of(${deliveryId}) order by path`;
  return rows.map(({ outcome, reason }) => reason ? `${outcome}: ${reason}` : outcome);
}
