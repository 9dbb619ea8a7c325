import * as z from "zod";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { type HttpProvider, notTakenBy, post } from "../http_provider.ts";
import type { NotTaken } from "../provider.ts";
import { expoRequest } from "./expo_request.ts";

/** What Expo says of tickets, a quarter of an hour later. */
export interface ExpoReceipts {
  kind: "read";
  /** Those whose receipt is there; the others' may come. */
  settled: string[];
  /** Of them, those whose device is gone. */
  gone: string[];
  /** How often Apple or Google refused for another reason, by Expo's word for it: credentials of ours, for instance. */
  errors: Record<string, number>;
}

const GONE = "DeviceNotRegistered";

const Receipt = z.union([
  z.object({ status: z.literal("ok") }),
  z.object({ status: z.literal("error"), details: z.object({ error: z.string() }).catch({ error: "unnamed" }) }),
]);
const Receipts = z.object({ data: z.record(z.string(), z.unknown()) });

/**
 * Asks Expo for the receipts of these tickets, at most 1,000.
 *
 * @see Expo, "Send notifications with the Expo Push Service": "Check push receipts for errors"
 */
export async function expoReceipts(fetch: OutboundFetch, ticketIds: string[]): Promise<ExpoReceipts | NotTaken> {
  const provider: HttpProvider = { name: "expo", fetch, isRepeatable: true };
  const answer = await post(provider, expoRequest("push/getReceipts", { ids: ticketIds }));
  if (answer.kind !== "answered") return answer;
  const { data } = Receipts.safeParse(answer.json);
  if (answer.status !== 200 || !data) return notTakenBy(provider, answer);
  const asked = new Set(ticketIds);
  // One that cannot be read is asked for again, and keeps no other from being read.
  const receipts = Object.entries(data.data).flatMap(([id, value]) => {
    const receipt = asked.has(id) ? Receipt.safeParse(value).data : undefined;
    return receipt ? [{ id, error: receipt.status === "error" ? receipt.details.error : null }] : [];
  });
  const errors: Record<string, number> = {};
  for (const { error } of receipts) if (error && error !== GONE) errors[error] = (errors[error] ?? 0) + 1;
  const gone = receipts.filter(({ error }) => error === GONE).map(({ id }) => id);
  return { kind: "read", settled: receipts.map(({ id }) => id), gone, errors };
}
