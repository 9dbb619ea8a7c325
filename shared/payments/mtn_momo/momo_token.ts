import * as z from "zod";
import { toBase64 } from "../../base64.ts";
import { callProvider, type NotSent } from "../provider_call.ts";
import type { MomoApi, MomoProduct } from "./momo_api.ts";

/** A token, or the request for one that is on its way. */
interface Held {
  token: Promise<string | NotSent>;
  /** Once it is there. */
  value?: string;
  /** By `performance.now()`. */
  usableUntil: number;
}

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().catch(3600) });

/** Before the end of its life, so that a request that waits on the way does not come too late. */
const MARGIN_SECONDS = 60;

/** By API, environment, product and user: one isolate serves many requests with one token. */
const tokens = new Map<string, Held>();

/**
 * The token for a product's calls. Whoever asks while it is being fetched waits for that request instead of making
 * another; without a token nothing is sent.
 */
export function momoToken(api: MomoApi, product: MomoProduct): Promise<string | NotSent> {
  const key = keyOf(api, product);
  const known = tokens.get(key);
  if (known && known.usableUntil > performance.now()) return known.token;
  const held: Held = { token: fetchToken(), usableUntil: Infinity };
  tokens.set(key, held);
  return held.token;

  async function fetchToken(): Promise<string | NotSent> {
    const answer = await requestToken(api, product);
    if ("kind" in answer) {
      if (tokens.get(key) === held) tokens.delete(key);
      return answer;
    }
    held.value = answer.access_token;
    held.usableUntil = performance.now() + (answer.expires_in - MARGIN_SECONDS) * 1_000;
    return answer.access_token;
  }
}

/** Drops a token that MTN no longer takes; one that took its place meanwhile stays. */
export function forgetToken(api: MomoApi, product: MomoProduct, token: string): void {
  const key = keyOf(api, product);
  if (tokens.get(key)?.value === token) tokens.delete(key);
}

/** @see MTN, MoMo API: `POST /{product}/token/` */
async function requestToken(api: MomoApi, product: MomoProduct): Promise<z.output<typeof TokenAnswer> | NotSent> {
  const credentials = new TextEncoder().encode(`${product.apiUser}:${product.apiKey}`);
  const answer = await callProvider(api.fetch, {
    method: "POST",
    url: `${api.url}/${product.name}/token/`,
    headers: {
      authorization: `Basic ${toBase64(credentials)}`,
      "ocp-apim-subscription-key": product.subscriptionKey,
    },
  });
  if (answer.kind === "not_sent") return answer;
  const token = answer.kind === "heard" && answer.status === 200 && TokenAnswer.safeParse(answer.json).data;
  // However the request for a token ended, that for money was not made.
  return token || { kind: "not_sent", reason: "not_authorized" };
}

function keyOf(api: MomoApi, { name, subscriptionKey, apiUser, apiKey }: MomoProduct): string {
  return [api.url, api.environment, name, subscriptionKey, apiUser, apiKey].join(" ");
}
