import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { type EventPayload, serveEventStore } from "../../support/event_server.ts";

/** Emmett through its own API, with its own pool. */
const [port, url = "", postmaster] = Deno.args;
const store = getPostgreSQLEventStore(url);
await store.schema.migrate();

const event = (data: EventPayload) => ({ type: "FareSettled", data });

serveEventStore(Number(port), Number(postmaster), {
  append: (stream, payloads) => store.appendToStream(stream, payloads.map(event)),
  read: async (stream) => (await store.readStream(stream)).events.length,
});
