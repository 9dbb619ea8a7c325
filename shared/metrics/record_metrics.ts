import { rpcUrl, secretHeaders } from "../db/client.ts";
import { problemOf } from "../db/refusal.ts";
import type { Metric } from "./request_metrics.ts";

const DEADLINE_MS = 5_000;

/**
 * Stores a batch, with our own key and apart from any request.
 *
 * @throws when the database does not say that it is stored
 */
export async function recordMetrics(actor: string, batch: readonly Metric[]): Promise<void> {
  const response = await fetch(rpcUrl("record_metrics"), {
    method: "POST",
    headers: { ...secretHeaders(actor), "content-type": "application/json" },
    body: JSON.stringify({ batch }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const text = await response.text();
  if (!response.ok) throw problemOf(response, text, { ownKey: true });
}
