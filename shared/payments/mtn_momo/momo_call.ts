import { callProvider, type Heard, type NotHeard } from "../provider_call.ts";
import type { MomoApi, MomoProduct } from "./momo_api.ts";
import { forgetToken, momoToken } from "./momo_token.ts";

/** One call of a product. */
export interface MomoCall {
  product: MomoProduct;
  method: "GET" | "POST";
  /** Below the product's version: `requesttopay/<reference id>` */
  path: string;
  headers?: Record<string, string>;
  body?: Record<string, unknown>;
}

/** Calls MTN with the product's token. One that MTN no longer takes is replaced once: a 401 carries nothing out. */
export async function callMomo(api: MomoApi, call: MomoCall): Promise<Heard | NotHeard> {
  const token = await momoToken(api, call.product);
  if (typeof token !== "string") return token;
  const answer = await send(api, call, token);
  if (answer.kind !== "not_sent" || answer.reason !== "not_authorized") return answer;
  forgetToken(api, call.product, token);
  const fresh = await momoToken(api, call.product);
  return typeof fresh === "string" ? await send(api, call, fresh) : fresh;
}

async function send(api: MomoApi, call: MomoCall, token: string): Promise<Heard | NotHeard> {
  return await callProvider(api.fetch, {
    method: call.method,
    url: `${api.url}/${call.product.name}/v1_0/${call.path}`,
    headers: {
      authorization: `Bearer ${token}`,
      "x-target-environment": api.environment,
      "ocp-apim-subscription-key": call.product.subscriptionKey,
      ...call.headers,
    },
    body: call.body && JSON.stringify(call.body),
  });
}
