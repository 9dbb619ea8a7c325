import type { GraphApi } from "./graph_api.ts";
import { callGraph, type GraphOptions } from "./graph_call.ts";
import { type Done, doneOf } from "./graph_done.ts";
import type { GraphFailure } from "./graph_failure.ts";

/**
 * Shows an inbound message, and those before it, as read.
 *
 * @param options - `typing` also shows that we are writing, until our message or for 25 seconds
 */
export async function markRead(
  api: GraphApi,
  phoneNumberId: string,
  wamid: string,
  { typing = false, ...options }: GraphOptions & { typing?: boolean } = {},
): Promise<Done | GraphFailure> {
  const body = {
    messaging_product: "whatsapp",
    status: "read",
    message_id: wamid,
    ...(typing && { typing_indicator: { type: "text" } }),
  };
  return doneOf(await callGraph(api, { ...options, method: "POST", path: [phoneNumberId, "messages"], body }));
}
