import type { Bytes } from "../bytes.ts";
import { failureOfFetch } from "../fetch_failure.ts";
import { jsonOf } from "../json_of.ts";
import type { OutboundFetch, OutboundInit } from "../outbound_fetch.ts";
import { retryAfterSeconds } from "../retry_after.ts";
import { sentOnce } from "../sent_once.ts";
import { impersonal } from "./impersonal.ts";
import type { NotTaken } from "./provider.ts";

/** A provider that is reached by HTTP. */
export interface HttpProvider {
  name: string;
  fetch: OutboundFetch;
  /** Whether it, or the device behind it, knows a request again, so that a second one does no harm. */
  isRepeatable: boolean;
}

/** One POST. */
export interface ProviderRequest {
  url: string;
  headers: Record<string, string>;
  body: string | Bytes;
  /** The body's media type. */
  type: string;
}

/** What a provider answered, whatever it says. */
export interface ProviderAnswer {
  kind: "answered";
  status: number;
  headers: Headers;
  text: string;
  /** The text's JSON, if it is some. */
  json: unknown;
}

/** What a provider said of a refusal. */
export interface Words {
  code?: string | number | null;
  detail?: string | null;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 256 * 1024;

/** An address below that of a provider's API. */
export function below(base: string, path: string): string {
  return `${base.replace(/\/+$/, "")}/${path}`;
}

/** Sends one request, once. */
export async function post(provider: HttpProvider, request: ProviderRequest): Promise<ProviderAnswer | NotTaken> {
  const prepared = prepare(request);
  if (!prepared) return notTaken(provider, "not_configured", { code: "invalid_setting" });
  try {
    const answer = await provider.fetch(prepared.url, prepared.init);
    const text = await answer.text();
    return { kind: "answered", status: answer.status, headers: answer.headers, text, json: jsonOf(text) };
  } catch (thrown) {
    const { kind, reason } = failureOfFetch(thrown);
    if (reason === "address_refused") return notTaken(provider, "not_configured", { code: reason });
    return notTaken(provider, kind === "not_sent" ? "temporary" : doubt(provider), { code: reason });
  }
}

/** What an answer means by its status alone, with what the provider said beside it. */
export function notTakenBy(provider: HttpProvider, answer: ProviderAnswer, words: Words = {}): NotTaken {
  return notTaken(provider, kindOf(provider, answer.status), { ...words, code: words.code ?? answer.status }, answer);
}

/** What a provider's own words mean. */
export function notTaken(
  provider: HttpProvider,
  kind: NotTaken["kind"],
  { code, detail }: Words,
  answer?: ProviderAnswer,
): NotTaken {
  const retryAfter = answer && retryAfterSeconds(answer.headers.get("retry-after"), new Date());
  return {
    kind,
    provider: provider.name,
    ...(code !== null && code !== undefined && { code: String(code) }),
    ...(detail && { detail: impersonal(detail) }),
    ...(typeof retryAfter === "number" && { retry_after: retryAfter }),
  };
}

/** What may have been sent: harmless to repeat, or not. */
export function doubt({ isRepeatable }: HttpProvider): "temporary" | "unknown" {
  return isRepeatable ? "temporary" : "unknown";
}

/** A 2xx that cannot be understood and a 5xx leave open what happened; so does a redirect, which is not followed. */
function kindOf(provider: HttpProvider, status: number): NotTaken["kind"] {
  if (status === 429) return "temporary";
  return status >= 400 && status < 500 && status !== 408 ? "rejected" : doubt(provider);
}

/** The request; undefined when a setting makes none: an address that is none, a key that no header can carry. */
function prepare({ url, headers, body, type }: ProviderRequest): { url: URL; init: OutboundInit } | undefined {
  try {
    const init = {
      method: "POST",
      headers: new Headers({ accept: "application/json", ...headers, "content-type": type }),
      body: sentOnce(body, type),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    };
    return { url: new URL(url), init };
  } catch {
    return undefined;
  }
}
