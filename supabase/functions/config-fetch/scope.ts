import type { Context } from "hono";
import type { Caller } from "shared/db/caller.ts";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { log } from "shared/log.ts";
import { Problem } from "shared/problem.ts";
import type { Asked } from "./schema.ts";

/** The answer waits no longer than this for the audit log. */
const DEADLINE_MS = 2_000;

/**
 * Lets the default secret key read every service, one named `svc_<service>` its own, and clients what is public. The name
 * is that of the key which was verified: no header that a client sends is looked at. Who asks for secrets in vain stands
 * in the audit log, by a call of its own.
 *
 * @throws forbidden (403)
 */
export async function requireScope(c: Context, service: string, asked: Asked): Promise<void> {
  const caller: Caller = c.get("caller");
  const hasSecrets = asked.include_secrets === "true";
  const isAllowed = caller.mode === "secret" ? isKeyOf(caller.name, service) : !hasSecrets;
  if (isAllowed) return;
  if (hasSecrets) await recordRefusal(c, caller, [service, asked.environment].filter(Boolean).join(","));
  throw new Problem("forbidden");
}

function isKeyOf(name: string, service: string): boolean {
  return name === "default" || name === `svc_${service.replaceAll("-", "_")}`;
}

async function recordRefusal(c: Context, caller: Caller, resource_id: string): Promise<void> {
  const call = serviceRpc("config-fetch", c.get("trace"));
  try {
    await call("record_secret_refusal", { ...actorOf(caller), code: "forbidden", resource_id }, {
      deadlineMs: DEADLINE_MS,
    });
  } catch {
    log("config.refusal_not_recorded", { resource_id }, "error");
  }
}

/** As the audit log names them. */
function actorOf(caller: Caller): { actor_type: string; actor_identifier: string } {
  if (caller.mode === "user") {
    const isOperator = caller.claims.app_metadata?.role === "operator";
    return { actor_type: isOperator ? "operator" : "user", actor_identifier: caller.claims.sub };
  }
  if (caller.mode === "none") return { actor_type: "anonymous", actor_identifier: "none" };
  return { actor_type: caller.mode === "secret" ? "service" : "anonymous", actor_identifier: caller.name };
}
