import type { MiddlewareHandler } from "hono";
import type { Caller } from "../db/caller.ts";
import { setting, type SettingName } from "../env.ts";
import { once } from "../once.ts";
import { Problem } from "../problem.ts";
import { RequestRate } from "./request_rate.ts";
import { describeRoute } from "./route_description.ts";

/** A secret key, or a key whose holders cannot be told apart, stands for many people. */
const KEY_FACTOR = 100;

/**
 * Refuses clients that ask more often than a setting says, with a `Retry-After` in seconds. After `auth()`.
 *
 * A client is a user, an address behind a publishable key, or a secret key (a hundred times the rate). Addresses are
 * believed as the platform's proxy hands them on: this is against clients that run wild, not against attackers.
 *
 * @param name - requests a minute of one client
 */
export function limitRate(name: SettingName, fallback: number): MiddlewareHandler {
  const rate = new RequestRate();
  const perMinute = once(() => Number(setting(name, null)) || fallback);
  return describeRoute<MiddlewareHandler>(async function limitRate(c, next) {
    const { client, factor } = clientOf(c.get("caller"), c.req.raw.headers);
    const wait = rate.charge(client, perMinute() * factor, performance.now());
    if (wait > 0) throw new Problem("rate_limited", { headers: { "retry-after": String(Math.ceil(wait / 1000)) } });
    await next();
  }, { problems: ["rate_limited"] });
}

function clientOf(caller: Caller, headers: Headers): { client: string; factor: number } {
  if (caller.mode === "user") return { client: `user ${caller.claims.sub}`, factor: 1 };
  const address = headers.get("cf-connecting-ip") ?? headers.get("x-forwarded-for")?.split(",")[0]?.trim();
  if (address && caller.mode === "publishable") return { client: `address ${address.slice(0, 64)}`, factor: 1 };
  return { client: `${caller.mode} ${"name" in caller ? caller.name : ""}`, factor: KEY_FACTOR };
}
