import type { Bytes } from "../../bytes.ts";
import type { PaymentEvent } from "../payment_signal.ts";

/** How one provider's webhooks are told from forgeries, and what they say. Each module beside this one is one. */
export interface PaymentWebhook {
  /**
   * Lets only what the provider signed pass.
   *
   * @param body - the bytes as they were sent: re-serialised JSON does not verify
   * @throws signature_invalid (401), always without a reason
   */
  verify(body: Bytes, headers: Headers, secrets: readonly string[], now: Date): Promise<void>;
  /** What an authentic event says; null when it has not the shape that the provider documents. Tolerates additions. */
  signalOf(event: unknown, headers: Headers): PaymentEvent | null;
}
