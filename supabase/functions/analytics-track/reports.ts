import { type Context, Hono } from "hono";
import { rpc } from "shared/db/rpc.ts";
import type { AppEnv } from "shared/http/app.ts";
import { auth } from "shared/http/auth.ts";
import { conditionalJson } from "shared/http/etag.ts";
import { query } from "shared/http/query.ts";
import { returns } from "shared/http/returns.ts";
import type * as z from "zod";
import * as wire from "./reports_schema.ts";

/** Longer than the questions' own statement_timeout, which says it better. */
const PATIENTLY = { deadlineMs: 32_000 };

const asked = auth("operator", "secret");

/** Analytics' questions over HTTP, as pages and notebooks ask them; each is one SQL function. */
export const reports = new Hono<AppEnv>();

reports.get(
  "/summary",
  asked,
  query(wire.Days),
  says(wire.Summary, "Events and people, and those before"),
  async (c) => answer(c, await rpc(c, "analytics_overview", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/active-users",
  asked,
  query(wire.ActiveUsersQuery),
  says(wire.ActiveUsers, "People active by day, week and month"),
  async (c) => answer(c, await rpc(c, "analytics_active_users", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/funnel",
  asked,
  query(wire.FunnelQuery),
  says(wire.Funnel, "People who get from step to step"),
  async (c) => answer(c, await rpc(c, "analytics_funnel", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/retention",
  asked,
  query(wire.RetentionQuery),
  says(wire.Retention, "Newcomers who come back"),
  async (c) => answer(c, await rpc(c, "analytics_retention", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/sessions",
  asked,
  query(wire.Days),
  says(wire.Sessions, "Sessions by the day they began"),
  async (c) => answer(c, await rpc(c, "analytics_sessions", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/top",
  asked,
  query(wire.TopQuery),
  says(wire.Top, "The most frequent events"),
  async (c) => answer(c, await rpc(c, "analytics_top_events", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/properties",
  asked,
  query(wire.PropertiesQuery),
  says(wire.Properties, "The properties of an event, or the values of one"),
  async (c) => {
    const { property_name, ...event } = c.req.valid("query");
    if (property_name === undefined) return answer(c, await rpc(c, "analytics_top_properties", event, PATIENTLY));
    return answer(c, await rpc(c, "analytics_top_values", { ...event, property_name }, PATIENTLY));
  },
);

reports.get(
  "/timeline",
  asked,
  query(wire.TimelineQuery),
  says(wire.Timeline, "What one person did"),
  async (c) => answer(c, await rpc(c, "analytics_timeline", c.req.valid("query"), PATIENTLY)),
);

reports.get(
  "/flags",
  asked,
  query(wire.FlagsQuery),
  says(wire.Flags, "Who was served which variant"),
  async (c) => answer(c, await rpc(c, "analytics_flag_adoption", c.req.valid("query"), PATIENTLY)),
);

function says(report: z.ZodType, summary: string) {
  return returns({ 200: report, 304: "as known" }, { summary });
}

async function answer(c: Context, rows: unknown): Promise<Response> {
  return await conditionalJson(c, JSON.stringify({ time_zone: "Africa/Kigali", rows }));
}
