import * as z from "zod";
import type { GraphApi } from "./graph_api.ts";
import { callGraph, type GraphOptions } from "./graph_call.ts";
import type { GraphFailure } from "./graph_failure.ts";

/** Meta took the message; statuses tell whether it arrives. */
export type Accepted = {
  kind: "accepted";
  wamid: string;
  /** Meta's names for the recipient, as far as it tells them. */
  recipient: { wa_id: string | null; user_id: string | null };
  /** Held while Meta judges its template, or paused with it. */
  message_status: "accepted" | "held_for_quality_assessment" | "paused";
};

const Name = z.string().min(1).nullable().catch(null);
const Message = z.object({
  id: z.string().min(1).max(512),
  message_status: z.enum(["accepted", "held_for_quality_assessment", "paused"]).catch("accepted"),
});
const SendAnswer = z.object({
  messages: z.tuple([Message], z.unknown()),
  contacts: z.array(z.object({ wa_id: Name, user_id: Name })).catch([]),
});

/**
 * Asks Meta to send one message. After `not_sent` the same may be asked again; after `unknown` the message may be on
 * its way, and only a status that carries its `biz_opaque_callback_data` tells.
 *
 * @param body - as Meta takes it, with `biz_opaque_callback_data`
 */
export async function sendMessage(
  api: GraphApi,
  phoneNumberId: string,
  body: Record<string, unknown>,
  options: GraphOptions = {},
): Promise<Accepted | GraphFailure> {
  const answer = await callGraph(api, { ...options, method: "POST", path: [phoneNumberId, "messages"], body });
  if (answer.kind !== "answered") return answer;
  const { data } = SendAnswer.safeParse(answer.body);
  if (!data) return { kind: "unknown", reason: "no_message_id" };
  const [{ id, message_status }] = data.messages;
  const { wa_id = null, user_id = null } = data.contacts[0] ?? {};
  return { kind: "accepted", wamid: id, recipient: { wa_id, user_id }, message_status };
}
