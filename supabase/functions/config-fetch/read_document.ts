import type { Context } from "hono";
import { rpc } from "shared/db/rpc.ts";
import { setting } from "shared/env.ts";
import { Problem } from "shared/problem.ts";
import { LastKnown } from "./last_known.ts";
import type { Asked, StoredDocument } from "./schema.ts";
import { requireScope } from "./scope.ts";

/** Clients and services ask again after this long. */
const POLL_INTERVAL_SECONDS = 30;
/** Apart, so that names which strangers make up push no service's document out. */
const lastKnown = {
  services: new LastKnown<StoredDocument>({ documents: 200, characters: 8_000_000 }),
  clients: new LastKnown<StoredDocument>({ documents: 200, characters: 4_000_000 }),
};

/** A document, and whether the database had to be done without. */
export interface Reading extends StoredDocument {
  poll_interval_seconds: number;
  is_stale: boolean;
}

/**
 * What this caller may know of a service's configuration, from memory while the database is away.
 *
 * @throws forbidden (403), service_unavailable (503) when nothing is remembered
 */
export async function readDocument(c: Context, service: string, asked: Asked): Promise<Reading> {
  await requireScope(c, service, asked);
  const environment: string = asked.environment ?? setting("APP_ENVIRONMENT");
  const hasSecrets = asked.include_secrets === "true";
  const known = lastKnown[c.get("caller").mode === "secret" ? "services" : "clients"];
  const place = `${service}/${environment}`;
  try {
    const document = await fetchDocument(c, service, environment, hasSecrets);
    if (!hasSecrets) known.keep(place, document);
    return { ...document, poll_interval_seconds: POLL_INTERVAL_SECONDS, is_stale: false };
  } catch (error) {
    const last = known.find(place);
    // Secrets are never told from memory: the audit log could not be told of it.
    if (!last || hasSecrets || !isAway(error)) throw error;
    return { ...last, poll_interval_seconds: POLL_INTERVAL_SECONDS, is_stale: true };
  }
}

async function fetchDocument(
  c: Context,
  service_name: string,
  environment: string,
  include_secrets: boolean,
): Promise<StoredDocument> {
  const document = c.get("caller").mode === "secret"
    ? await rpc(c, "get_service_configs", { service_name, environment, include_secrets })
    : await rpc(c, "get_public_configs", { service_name, environment });
  return document as unknown as StoredDocument;
}

function isAway(error: unknown): boolean {
  return error instanceof Problem && ["service_unavailable", "database_timeout"].includes(error.code);
}
