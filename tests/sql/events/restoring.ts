import type { Sql } from "postgres";

const TABLES = [
  "public.event_streams",
  "public.event_store",
  "public.event_keys",
  "public.event_subscriptions",
  "private.event_epoch",
  "private.event_ticks",
];

/** Copies the event store as a dump and its restoration do: no trigger fires, every value and every counter is kept. */
export async function restoreEvents(from: Sql, to: Sql): Promise<void> {
  for (const table of TABLES) {
    const columns = await columnsOf(from, table);
    const [dump] = await from.unsafe(`select jsonb_agg(to_jsonb(row))::text as rows from ${table} as row`);
    await to.begin(async (sql) => {
      await sql.unsafe(`alter table ${table} disable trigger user; delete from ${table}`).simple();
      await sql.unsafe(
        `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`,
        [dump!.rows],
      );
      await sql.unsafe(`alter table ${table} enable trigger user`);
    });
  }
  for (const [table, column] of [["event_store", "position"], ["event_streams", "stream_id"]] as const) {
    const [last] = await from.unsafe(`select max(${column}) as value from public.${table}`);
    await to`select setval(pg_get_serial_sequence(${"public." + table}, ${column}), ${last!.value})`;
  }
}

/** Those that are written, as a dump does: not the generated ones. */
async function columnsOf(sql: Sql, table: string): Promise<string> {
  const rows = await sql`
    select attname from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = ''`;
  return rows.map(({ attname }) => attname).join(", ");
}
