import type { Context } from "hono";
import type { Caller } from "shared/db/caller.ts";
import { rpc } from "shared/db/rpc.ts";
import { setting } from "shared/env.ts";
import { Problem } from "shared/problem.ts";
import type { Asked, StoredDocument } from "./schema.ts";

/** Clients and services ask again after this long. */
const POLL_INTERVAL_SECONDS = 30;
/** More would hold memory for names that strangers make up. */
const MOST_REMEMBERED = 500;
const remembered = new Map<string, StoredDocument>();

/** A document, and whether the database had to be done without. */
export interface Reading extends StoredDocument {
  poll_interval_seconds: number;
  is_stale: boolean;
}

/**
 * What this caller may know of a service's configuration: clients what is public, a service's key its own service.
 *
 * @throws forbidden (403) for a secret key that is neither the service's nor the default one
 */
export async function readDocument(c: Context, service: string, asked: Asked): Promise<Reading> {
  const environment: string = asked.environment ?? setting("APP_ENVIRONMENT");
  const caller: Caller = c.get("caller");
  const isService = caller.mode === "secret";
  const hasSecrets = asked.include_secrets === "true";
  if (hasSecrets && !isService) throw new Problem("forbidden");
  if (isService && !["default", `svc_${service.replaceAll("-", "_")}`].includes(caller.name)) {
    throw new Problem("forbidden");
  }
  const place = JSON.stringify([isService, service, environment]);
  try {
    const names = { service_name: service, environment };
    const document = (isService
      ? await rpc(c, "get_service_configs", { ...names, include_secrets: hasSecrets })
      : await rpc(c, "get_public_configs", names)) as unknown as StoredDocument;
    if (!hasSecrets) {
      remember(place, document);
    }
    return { ...document, poll_interval_seconds: POLL_INTERVAL_SECONDS, is_stale: false };
  } catch (error) {
    const last = remembered.get(place);
    // Secrets are never told from memory: the audit log could not be told of it.
    if (!last || hasSecrets || !isAway(error)) throw error;
    return { ...last, poll_interval_seconds: POLL_INTERVAL_SECONDS, is_stale: true };
  }
}

function isAway(error: unknown): boolean {
  return error instanceof Problem && ["service_unavailable", "database_timeout"].includes(error.code);
}

function remember(place: string, document: StoredDocument): void {
  remembered.delete(place);
  remembered.set(place, document);
  const oldest = remembered.keys().next();
  if (remembered.size > MOST_REMEMBERED && !oldest.done) remembered.delete(oldest.value);
}
