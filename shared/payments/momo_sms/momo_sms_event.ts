import * as z from "zod";
import { type PaymentEvent, SILENT_SIGNAL } from "../payment_signal.ts";
import { readMomoSms } from "./read_momo_sms.ts";
import type { MomoReceipt } from "./receipt.ts";
import { signalOf } from "./signal_of.ts";

/** What the phone that gets MTN's messages sends on. */
export const ForwardedSms = z.object({
  message: z.string().min(1),
  sender: z.string().min(1).max(32).describe("whom the phone shows as the sender: M-Money, or a number"),
  receiving_number: z.e164().describe("the number that got it, one of ours"),
});

/** An event with what is kept of it. */
export type MomoSmsEvent = PaymentEvent & {
  payload: { receiving_number: string; sender: string } & ({ receipt: MomoReceipt } | { shape: string });
};

/**
 * The event that a forwarded message is.
 *
 * @returns null for noise, of which nothing may be kept: it may be somebody's one-time password
 */
export async function momoSmsEvent(sms: z.infer<typeof ForwardedSms>): Promise<MomoSmsEvent | null> {
  const { message, sender, receiving_number } = sms;
  const read = readMomoSms(message);
  if (read.kind === "noise") return null;
  if (read.kind === "receipt") {
    const { receipt } = read;
    return {
      event_id: `${receiving_number} ${receiptKey(receipt)}`,
      event_type: receipt.template,
      signal: signalOf(receipt),
      payload: { receiving_number, sender, receipt },
    };
  }
  return {
    event_id: `${receiving_number} unreadable ${await sha256Hex(message)}`,
    event_type: "unreadable",
    signal: { ...SILENT_SIGNAL, evidence: "sms" },
    payload: { receiving_number, sender, shape: read.shape },
  };
}

/** Half of MTN's messages have no id; but no two leave one account with the same balance in the same second. */
function receiptKey({ template, provider_id, occurred_at, amount, balance }: MomoReceipt): string {
  return [template, ...(provider_id ? [provider_id] : [occurred_at, amount, balance])].join(" ");
}

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
