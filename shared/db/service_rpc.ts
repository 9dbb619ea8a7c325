import type { RequestTrace } from "../trace.ts";
import { rpcUrl, secretHeaders, traceHeaders } from "./client.ts";
import { problemOf } from "./refusal.ts";
import type { Arguments, CallOptions, Exactly, FunctionName, Returns } from "./rpc.ts";
import { send } from "./transport.ts";

/** Calls a SQL function with our own key. */
export type ServiceRpc = <Name extends FunctionName, Given extends Arguments<Name>>(
  name: Name,
  args: Exactly<Arguments<Name>, Given>,
  options?: CallOptions,
) => Promise<Returns<Name>>;

/**
 * The door to the database for work that outlives its request's answer: like `rpc()`, but it neither knows nor changes an
 * answer. Its calls belong to the given trace.
 *
 * @param actor - who SQL hears is calling
 */
export function serviceRpc(actor: string, trace: RequestTrace): ServiceRpc {
  return async function call(name, args, { correlationId, deadlineMs } = {}) {
    const headers = { ...secretHeaders(actor), ...traceHeaders(trace, correlationId) };
    const request = { method: "POST", headers, body: JSON.stringify(args) };
    const { response, text } = await send(rpcUrl(name), request, deadlineMs);
    if (!response.ok) throw problemOf(response, text, { ownKey: true });
    return JSON.parse(text || "null");
  };
}
