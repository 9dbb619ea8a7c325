import type { Bytes } from "../../bytes.ts";
import { fromHex } from "../../hex.ts";
import { jsonOf } from "../../json_of.ts";
import { Problem } from "../../problem.ts";
import { isSigned } from "../hmac.ts";
import { ForwardedSms, type MomoSmsEvent, momoSmsEvent } from "../momo_sms/momo_sms_event.ts";
import { isFresh, prefixed, signatureInvalid } from "./signature.ts";

/**
 * Lets only bodies pass that the forwarding phone signed within the last five minutes, or the next, by its clock.
 *
 * @param headers - `X-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`; several `v1`, other schemes are no signature
 * @throws Problem signature_invalid
 */
export async function verify(body: Bytes, headers: Headers, secrets: readonly string[], now: Date): Promise<void> {
  const fields = (headers.get("x-signature") ?? "").split(",").map((field) => field.trim().split("="));
  const valuesOf = (name: string) =>
    fields.filter((field) => field.length === 2 && field[0] === name).map(([, value]) => value!);
  const [time = "", ...otherTimes] = valuesOf("t");
  const signatures = valuesOf("v1").flatMap((value) => fromHex(value.toLowerCase(), 32) ?? []);
  if (otherTimes.length > 0 || signatures.length > secrets.length || !isFresh(time, now)) throw signatureInvalid();
  const signed = prefixed(`${time}.`, body);
  const verdicts = await Promise.all(signatures.map((signature) => isSigned(signed, signature, secrets)));
  if (!verdicts.includes(true)) throw signatureInvalid();
}

/**
 * The event that a verified body is.
 *
 * @returns null for noise: nothing of it may be stored or logged
 * @throws Problem validation_failed, when it is no forwarded message
 */
export async function eventOf(body: Bytes): Promise<MomoSmsEvent | null> {
  const { data, error } = ForwardedSms.safeParse(jsonOf(new TextDecoder().decode(body)));
  if (!data) {
    // Where, and not what: the message may be a one-time password.
    const errors = error.issues.map(({ path }) => ({
      pointer: `/${path.join("/")}`,
      detail: "is missing or not as expected",
    }));
    throw new Problem("validation_failed", { errors });
  }
  return await momoSmsEvent(data);
}
