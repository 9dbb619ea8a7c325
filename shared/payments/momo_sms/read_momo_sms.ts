import { parseMoney } from "../../money.ts";
import type { MomoReceipt } from "./receipt.ts";
import { shapeOf } from "./shape_of.ts";
import type { Template } from "./template.ts";
import { TEMPLATES } from "./templates.ts";

/**
 * What a text message is.
 *
 * - `receipt`: MTN tells of a payment
 * - `noise`: none of our business, and not to be kept in any form (one-time passwords, adverts)
 * - `unreadable`: speaks of francs in words that we do not know; its shape tells which, and nothing of its contents
 */
export type MomoSms =
  | { kind: "receipt"; receipt: MomoReceipt }
  | { kind: "noise"; reason: "too_long" | "one_time_password" | "advert" | "no_money" }
  | { kind: "unreadable"; shape: string };

const MAX_LENGTH = 2_000;
/** What cannot be stored (controls, lone surrogates) or seen counts as a space. */
const BLANKS = /[\s\p{Cc}\p{Cf}\p{Cs}]+/gu;
const AMOUNT = /^(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.0+)?$/;
const ONE_TIME_PASSWORD = /\b(?:one[- ]?time|otp|verification code|passw?ord|passcode|ijambo ry'?ibanga)\b/i;
const ADVERT = /^y'?ello\b/i;
const MONEY = /\d\s*(?:rwf|frw)\b|\b(?:rwf|frw)\s*\d/i;

/** Reads a text message by MTN's templates. What fits none is no receipt, whatever numbers it has. */
export function readMomoSms(message: string): MomoSms {
  if (message.length > MAX_LENGTH) return { kind: "noise", reason: "too_long" };
  const text = message.replace(BLANKS, " ").trim();
  for (const template of TEMPLATES) {
    const fields = template.pattern.exec(text)?.groups;
    const receipt = fields && receiptOf(template, fields);
    if (receipt) return { kind: "receipt", receipt };
  }
  if (ONE_TIME_PASSWORD.test(text)) return { kind: "noise", reason: "one_time_password" };
  if (ADVERT.test(text)) return { kind: "noise", reason: "advert" };
  if (!MONEY.test(text)) return { kind: "noise", reason: "no_money" };
  return { kind: "unreadable", shape: shapeOf(text) };
}

function receiptOf({ name, direction }: Template, fields: Record<string, string | undefined>): MomoReceipt | null {
  const amount = amountOf(fields.amount);
  const balance = amountOf(fields.balance);
  const fee = amountOf(fields.fee);
  const occurredAt = kigaliTime(fields.time);
  if (!amount || !occurredAt || balance === undefined || fee === undefined) return null;
  return {
    template: name,
    direction,
    amount,
    currency: "RWF",
    balance,
    fee,
    name: fields.name?.trim() || null,
    payer_suffix: direction === "in" ? fields.payer?.slice(-3) ?? null : null,
    phone: phoneOf(fields.phone ?? fields.payer),
    provider_id: fields.id ?? null,
    occurred_at: occurredAt,
    sender_message: fields.message?.trim() || null,
  };
}

/** Null where there is none, undefined where it cannot be what it seems. */
function amountOf(written: string | undefined): number | null | undefined {
  if (written === undefined) return null;
  const minor = AMOUNT.test(written) ? parseMoney(written.replaceAll(",", ""), "RWF") : null;
  return minor !== null && minor <= Number.MAX_SAFE_INTEGER ? Number(minor) : undefined;
}

/** MTN writes the time of Kigali, which is UTC+2 all year. */
function kigaliTime(written: string | undefined): string | null {
  const local = `${written?.replace(" ", "T")}.000`;
  const time = Date.parse(`${local}+02:00`);
  if (Number.isNaN(time)) return null;
  // The 30th of February is read as a day in March.
  return new Date(time + 7_200_000).toISOString() === `${local}Z` ? new Date(time).toISOString() : null;
}

function phoneOf(written: string | undefined): string | null {
  return written?.match(/^\+?(250\d{9})$/) ? `+${written.replace("+", "")}` : null;
}
