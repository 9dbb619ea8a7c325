import postgres, { type Sql } from "postgres";
import { serveEventStore } from "../../support/event_server.ts";

const DATABASE = new URL("database/", import.meta.resolve("@eventide/message-db/package.json"));

/** What its install.sh runs, in that order, apart from the views and the privileges. */
const PARTS = [
  "roles/message-store",
  "schema/message-store",
  "extensions/pgcrypto",
  "tables/messages",
  "types/message",
  ...[
    "message-store-version",
    "hash-64",
    "acquire-lock",
    "category",
    "is-category",
    "id",
    "cardinal-id",
    "stream-version",
    "write-message",
    "get-stream-messages",
    "get-category-messages",
    "get-last-stream-message",
  ].map((name) => `functions/${name}`),
  ...["messages-id", "messages-stream", "messages-category"].map((name) => `indexes/${name}`),
];

/** Message DB's own SQL, called as prepared statements. It has no call for several events: one statement makes the calls. */
const [port, url = "", postmaster] = Deno.args;
const connection = { search_path: "message_store, public, extensions" };
const sql = postgres(url, { max: 8, onnotice: () => {}, connection });
await install(sql);

serveEventStore(Number(port), Number(postmaster), {
  append: (stream, payloads) =>
    payloads.length === 1
      ? sql`select write_message(${crypto.randomUUID()}, ${stream}, 'FareSettled', ${
        JSON.stringify(payloads[0])
      }::text::jsonb)`
      : sql`
        select write_message(gen_random_uuid()::varchar, ${stream}, 'FareSettled', payload)
        from unnest(${payloads.map((payload) => JSON.stringify(payload))}::text[]::jsonb[]) as payload`,
  async read(stream) {
    const rows = await sql`select * from get_stream_messages(${stream}, 0, 1000)`;
    return rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) })).length;
  },
});

async function install(sql: Sql): Promise<void> {
  for (const part of PARTS) await sql.unsafe(await Deno.readTextFile(new URL(`${part}.sql`, DATABASE))).simple();
}
