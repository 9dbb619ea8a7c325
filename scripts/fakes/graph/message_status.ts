import type { AcceptedMessage } from "./accepted_message.ts";
import { statusError } from "./graph_errors.ts";

/** What becomes of a message, step by step; a number is the code that it fails with. */
export type Course = readonly ("sent" | "delivered" | "read" | "played" | number)[];

/** An element of a delivery's `statuses`, and the number whose delivery it belongs in. */
export interface MessageStatus {
  phone_number_id: string;
  json: Record<string, unknown>;
  /** Meta names the recipient beside it, unless the message failed. */
  contact: Record<string, unknown> | undefined;
}

/** The statuses of a message's course. The price comes with `sent`, and with the first sign that it arrived. */
export function statusesOf(message: AcceptedMessage, course: Course): MessageStatus[] {
  if (message.is_lost) return [];
  const arrival = course.find((step) => step !== "sent" && typeof step !== "number");
  return course.map((step) => {
    const isPriced = step === "sent" || step === arrival;
    return typeof step === "number" ? failure(message, step) : progress(message, step, isPriced);
  });
}

function progress(message: AcceptedMessage, status: string, isPriced: boolean): MessageStatus {
  const { phone_number_id, wa_id, user_id, category } = message;
  const pricing = { billable: true, pricing_model: "PMP", type: "regular", category };
  const json = { ...common(message, status), recipient_user_id: user_id, ...(isPriced && { pricing }) };
  return { phone_number_id, json, contact: { wa_id, user_id } };
}

function failure(message: AcceptedMessage, code: number): MessageStatus {
  const recipient_user_id = message.wa_id === undefined ? message.user_id : undefined;
  const json = { ...common(message, "failed"), recipient_user_id, errors: [statusError(code)] };
  return { phone_number_id: message.phone_number_id, json, contact: undefined };
}

function common({ wamid, at, wa_id, intent }: AcceptedMessage, status: string): Record<string, unknown> {
  return { id: wamid, status, timestamp: String(at), recipient_id: wa_id, biz_opaque_callback_data: intent };
}
