/** What a provider is given to send: a row of `claim_notifications()` with its channel's kind of address. */
export interface Delivery<Address> {
  /** The same whenever it is tried again: what providers are told so that they do not send it twice. */
  delivery_id: string;
  address: Address;
  title: string | null;
  body: string;
  /** For the app. */
  data: Record<string, unknown>;
  /** In the inbox; null for a digest, which brings several. */
  notification_id: string | null;
  locale: string | null;
  /** To be seen at once, whatever the device is set to. */
  is_critical: boolean;
  /** ISO 8601; not worth showing after it. */
  expires_at: string | null;
}

/** A provider took it; whether it arrives is another matter. */
export type Sent = {
  kind: "sent";
  provider: string;
  provider_message_id: string | null;
};

/**
 * No provider took it, in the words of `fail_notification()`.
 *
 * - `temporary`: certainly not sent and may heal, or sending it again does no harm because the provider knows it again
 * - `rejected`: will not be sent by trying again
 * - `unknown`: may have been sent
 * - `not_configured`: our settings are lacking
 */
export type NotTaken = {
  kind: "temporary" | "rejected" | "unknown" | "not_configured";
  provider?: string;
  /** The provider's own, or ours in words. */
  code?: string;
  /** Without personal data. */
  detail?: string;
  /** Seconds. */
  retry_after?: number;
};

/** What became of one attempt. */
export type SendOutcome = Sent | NotTaken;

/** A way to carry deliveries to one kind of address. What the outside world does is an outcome, never thrown. */
export interface Provider<Address> {
  send(delivery: Delivery<Address>): Promise<SendOutcome>;
}
