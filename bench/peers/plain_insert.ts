import postgres from "postgres";
import { isSignedByMeta } from "../../shared/whatsapp/signature.ts";
import { APP_SECRET } from "../../scripts/fakes/graph/deliver.ts";

/** The floor of what a durable webhook costs: verify the signature, insert the raw body, answer. Knows no duplicates. */
const [port, databaseUrl = ""] = Deno.args;
const sql = postgres(databaseUrl, { max: 10, onnotice: () => {} });
await sql`create schema if not exists bench`;
await sql`create table if not exists bench.bodies (
  id bigint generated always as identity primary key, received_at timestamptz not null default now(), body bytea not null
)`;

Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, async (request) => {
  const body = new Uint8Array(await request.arrayBuffer());
  const signature = request.headers.get("x-hub-signature-256") ?? undefined;
  if (!await isSignedByMeta(body, signature, [APP_SECRET])) return new Response(null, { status: 401 });
  await sql`insert into bench.bodies (body) values (${body})`;
  return Response.json({ received: true });
});
