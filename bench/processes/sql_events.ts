import postgres from "postgres";
import { serveEventStore } from "../support/event_server.ts";

/** Our event store: its functions as prepared statements, called as the service role. */
const [port, url = "", postmaster] = Deno.args;
const sql = postgres(url, { max: 8, onnotice: () => {}, connection: { options: "-c role=service_role" } });

serveEventStore(Number(port), Number(postmaster), {
  append(stream, payloads) {
    const [type, id] = nameOf(stream);
    if (payloads.length === 1) {
      return sql`select * from public.append_event(${type}, ${id}, 'fare.settled', ${
        JSON.stringify(payloads[0])
      }::text::jsonb)`;
    }
    const events = payloads.map((payload) => ({
      aggregate_type: type,
      aggregate_id: id,
      event_type: "fare.settled",
      payload,
    }));
    return sql`select * from public.append_events(${JSON.stringify(events)}::text::jsonb)`;
  },
  async read(stream) {
    const [type, id] = nameOf(stream);
    // What Message DB gives, so that no client parses more than another.
    const events = await sql`
      select event_id, aggregate_id, event_type, version, position, payload, metadata, created_at
      from public.get_aggregate_events(${type}, ${id}, 0, 1000)`;
    return events.length;
  },
});

/** A stream is named `<aggregate_type>-<aggregate_id>` for all stores, as Message DB asks. */
function nameOf(stream: string): [type: string, id: string] {
  const dash = stream.indexOf("-");
  return [stream.slice(0, dash), stream.slice(dash + 1)];
}
