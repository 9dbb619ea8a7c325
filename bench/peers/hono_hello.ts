import { Hono } from "hono";

/** The smallest function that one writes with Hono. */
const app = new Hono();
app.get("*", (c) => c.text("hello"));
export default { fetch: app.fetch };
