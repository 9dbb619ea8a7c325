import type { Bytes } from "../bytes.ts";
import { settings } from "../env.ts";
import type { OutboundInit } from "../outbound_fetch.ts";
import { Problem } from "../problem.ts";
import { sentOnce } from "../sent_once.ts";
import { isPrivateHost } from "./private_host.ts";
import { readStart, readStream } from "./read_body.ts";

/** Statuses whose answers have no body (Fetch standard: null body status). */
const WITHOUT_BODY = new Set([101, 103, 204, 205, 304]);

/**
 * The only way out: `fetch` to a host on `OUTBOUND_ALLOWED_HOSTS`, bounded in time and size. A redirect is returned as
 * it came, not followed: it would lead past the list. A body of text or bytes goes out once.
 *
 * An entry `host` allows https on port 443 of a public host, `*.host` of every name below it. An entry `host:port` allows
 * exactly that, by http and https and on private addresses too.
 *
 * @returns the answer, whose body is already read
 * @throws outbound_not_allowed (500), outbound_failed, outbound_too_large (502), outbound_timeout (504)
 */
export async function guardedFetch(target: string | URL, init: OutboundInit = {}): Promise<Response> {
  const { timeoutMs = 10_000, maxBytes = 1024 * 1024, overflow = "refuse", signal, body, ...request } = init;
  const url = allowedUrl(target);
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(url, {
      ...request,
      body: body && sentOnce(body, mediaTypeOf(body)),
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    return overflow === "cut" ? await cut(answer, maxBytes) : await withinBounds(answer, maxBytes);
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem(deadline.aborted ? "outbound_timeout" : "outbound_failed", { cause });
  }
}

/** What `fetch` would say of a body, had it not become a Blob; a header of the caller's counts more. */
function mediaTypeOf(body: BodyInit): string {
  return typeof body === "string" ? "text/plain;charset=UTF-8" : "";
}

/**
 * Reads an address and refuses it unless it is on the list.
 *
 * @throws outbound_not_allowed
 */
export function allowedUrl(target: string | URL): URL {
  const url = parse(target);
  if (url && !url.username && !url.password && isAllowed(url, settings("OUTBOUND_ALLOWED_HOSTS", []))) return url;
  throw new Problem("outbound_not_allowed", {
    cause: url ? `${url.protocol}//${url.host} is not allowed` : "not a URL",
  });
}

/** Whether a connection that is not HTTP may be opened: only to exactly what stands on the list as `host:port`. */
export function isAllowedSocket(hostname: string, port: number): boolean {
  return settings("OUTBOUND_ALLOWED_HOSTS", []).includes(`${hostname}:${port}`);
}

function isAllowed(url: URL, allowed: readonly string[]): boolean {
  if (url.protocol !== "https:" && url.protocol !== "http:") return false;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  if (allowed.includes(`${url.hostname}:${port}`)) return true;
  return url.protocol === "https:" && port === "443" && isNamed(url.hostname, allowed) && !isPrivateHost(url.hostname);
}

function isNamed(hostname: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => entry.startsWith("*.") ? hostname.endsWith(entry.slice(1)) : hostname === entry);
}

/** The URL parser writes every spelling of an address in one way: `http://0x7f.1` and `http://2130706433` become 127.0.0.1. */
function parse(target: string | URL): URL | undefined {
  try {
    return new URL(target);
  } catch {
    return undefined;
  }
}

async function cut(answer: Response, maxBytes: number): Promise<Response> {
  return withBody(answer, await readStart(answer.body, maxBytes));
}

async function withinBounds(answer: Response, maxBytes: number): Promise<Response> {
  const { headers } = answer;
  const tooLarge = Number(headers.get("content-length") ?? 0) > maxBytes;
  if (tooLarge) await answer.body?.cancel();
  const body = tooLarge ? undefined : await readStream(answer.body, maxBytes).catch(largerThanAllowed);
  if (body === undefined) throw new Problem("outbound_too_large");
  return withBody(answer, body);
}

function withBody({ status, statusText, headers }: Response, body: Bytes): Response {
  return new Response(WITHOUT_BODY.has(status) ? null : body, { status, statusText, headers });
}

function largerThanAllowed(error: unknown): undefined {
  if (error instanceof Problem) return undefined;
  throw error;
}
