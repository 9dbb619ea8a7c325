import { failureOfFetch } from "../fetch_failure.ts";
import { jsonOf } from "../json_of.ts";
import type { OutboundInit } from "../outbound_fetch.ts";
import { sentOnce } from "../sent_once.ts";
import type { GraphApi } from "./graph_api.ts";
import { failureOfAnswer, type GraphFailure } from "./graph_failure.ts";
import { graphUsage } from "./graph_usage.ts";

/** How a caller may bound a call. */
export interface GraphOptions {
  /** Until the answer's last byte; by default 15,000. */
  timeoutMs?: number;
  /** Gives the call up; it may have been carried out nevertheless. */
  signal?: AbortSignal;
}

/** One call of the Graph API. */
export interface GraphCall extends GraphOptions {
  method: "GET" | "POST" | "DELETE";
  /** The segments after the version: ids and names. */
  path: readonly string[];
  query?: Record<string, string>;
  /** JSON, or a form with a file. */
  body?: FormData | Record<string, unknown>;
  /** Of the answer; by default 256 KiB. */
  maxBytes?: number;
}

/** A 2xx with JSON. */
export type GraphAnswer = { kind: "answered"; body: unknown };

const SEGMENT = /^\w{1,128}$/;

/** Calls the Graph API with our token. Never throws for what the network or Meta does. */
export async function callGraph(api: GraphApi, call: GraphCall): Promise<GraphAnswer | GraphFailure> {
  const request = prepare(api, call);
  if (!request) return { kind: "not_sent", reason: "invalid_request" };
  if (call.signal?.aborted) return { kind: "not_sent", reason: "aborted" };
  let answer: Response;
  let body: unknown;
  try {
    answer = await api.fetch(request.url, request.init);
    body = jsonOf(await answer.text());
  } catch (error) {
    return failureOfFetch(error);
  }
  api.onUsage?.(graphUsage(answer.headers));
  return answer.ok && body !== undefined ? { kind: "answered", body } : failureOfAnswer(answer, body);
}

/** What every request to Meta carries; the token never goes where a redirect leads. */
export function withToken(api: GraphApi, init: Omit<OutboundInit, "headers" | "redirect">): OutboundInit {
  return { ...init, headers: new Headers({ authorization: `Bearer ${api.token}` }), redirect: "manual" };
}

/** The request, or undefined when it cannot be made: an id that is none, a token that no header can carry. */
function prepare(api: GraphApi, call: GraphCall): { url: URL; init: OutboundInit } | undefined {
  const { method, path, query, signal, timeoutMs = 15_000, maxBytes = 256 * 1024 } = call;
  if (!path.every((segment) => SEGMENT.test(segment))) return undefined;
  try {
    const url = new URL([api.url.replace(/\/+$/, ""), ...path].join("/"));
    url.search = new URLSearchParams(query).toString();
    return { url, init: withToken(api, { method, body: bodyOf(call), signal, timeoutMs, maxBytes }) };
  } catch {
    return undefined;
  }
}

function bodyOf({ body }: GraphCall): BodyInit | undefined {
  if (body === undefined || body instanceof FormData) return body;
  return sentOnce(JSON.stringify(body), "application/json");
}
