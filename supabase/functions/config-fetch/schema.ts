import * as z from "zod";

const Name = z.string().regex(/^[a-z][a-z0-9-]*$/).max(63);

/** Whose configuration. */
export const ServicePath = z.object({ service: Name });

/** One value of it. */
export const KeyPath = z.object({ service: Name, key: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*$/).max(100) });

/** Which configuration, and how it is asked for. */
export const Selection = z.strictObject({
  environment: z.string().regex(/^[a-z][a-z0-9_-]*$/).max(40).optional().describe("default: APP_ENVIRONMENT"),
  include_secrets: z.enum(["true", "false"]).default("false").describe("for secret keys; every such answer is audited"),
  known_version: z.coerce.number().int().nonnegative().optional().describe("wait while the version is this one"),
  wait_seconds: z.coerce.number().int().min(0).max(25).default(0),
});

const Origin = z.object({ service: z.string(), environment: z.string() }).describe("all: inherited");

/** One value, what it is and where it was set; a masked secret's value is null. */
export const Entry = z.object({
  value: z.json(),
  type: z.enum(["boolean", "number", "string", "array", "object"]),
  is_secret: z.boolean(),
  version: z.int(),
  origin: Origin,
});

/** Everything that a service, or its client, is told. */
export const ConfigDocument = z.object({
  service: z.string(),
  environment: z.string(),
  version: z.int().describe("rises with every change"),
  poll_interval_seconds: z.int(),
  is_stale: z.boolean().describe("the database is away: this is the last that was known"),
  entries: z.record(z.string(), Entry),
});

/** A document as read from SQL. */
export type StoredDocument = Omit<z.infer<typeof ConfigDocument>, "poll_interval_seconds" | "is_stale">;
/** What the query string asks for. */
export type Asked = z.output<typeof Selection>;
