import { createApp } from "shared/http/app.ts";
import { auth } from "shared/http/auth.ts";
import { param, query } from "shared/http/query.ts";
import { returns } from "shared/http/returns.ts";
import { Problem } from "shared/problem.ts";
import { answerTagged } from "./answer_tagged.ts";
import { awaitChange } from "./await_change.ts";
import { readDocument } from "./read_document.ts";
import * as wire from "./schema.ts";

const app = createApp("config-fetch");

app.get(
  "/:service",
  auth("secret:*", "user", "publishable"),
  param(wire.ServicePath),
  query(wire.Selection),
  returns({ 200: wire.ConfigDocument, 304: "as known" }, { summary: "All values of a service, with their origins" }),
  async (c) => {
    const reading = await awaitChange(c, c.req.valid("param").service, c.req.valid("query"));
    return await answerTagged(c, reading, reading);
  },
);

app.get(
  "/:service/:key",
  auth("secret:*", "user", "publishable"),
  param(wire.KeyPath),
  query(wire.Selection),
  returns({ 200: wire.Entry, 304: "as known" }, { summary: "One value" }),
  async (c) => {
    const { service, key } = c.req.valid("param");
    const reading = await readDocument(c, service, c.req.valid("query"));
    const entry = Object.hasOwn(reading.entries, key) ? reading.entries[key] : undefined;
    if (!entry) throw new Problem("not_found");
    return await answerTagged(c, reading, entry);
  },
);

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
