import { Webhook } from "standardwebhooks";
import { type ArrivedRequest, FakeProvider } from "./fake_providers/fake_provider.ts";

/** What a receiver learns of a message whose signature is right. */
export interface Received {
  id: string;
  timestamp: number;
  body: { type: string; timestamp: string; data: Record<string, unknown> };
}

/**
 * Starts a receiver that takes everything unless it is told otherwise: `await using receiver = startReceiver()`.
 *
 * @param onTaken - told of each message before it is taken, which may wait for it
 */
export function startReceiver(onTaken: () => unknown = () => {}): FakeProvider {
  return new FakeProvider(async () => {
    await onTaken();
    return new Response("taken", { status: 202 });
  }).open();
}

/** What Standard Webhooks' own library makes of a request with that secret; it throws when it does not verify. */
export function verified({ headers, text }: ArrivedRequest, secret: string): Received {
  const body = new Webhook(secret).verify(text, Object.fromEntries(headers)) as Received["body"];
  return { id: headers.get("webhook-id")!, timestamp: Number(headers.get("webhook-timestamp")), body };
}
