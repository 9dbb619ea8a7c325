import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { GraphOptions } from "shared/whatsapp/graph_call.ts";
import { type Accepted, sendMessage } from "shared/whatsapp/send_message.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";
import { eachOnItsOwn } from "./each_on_its_own.ts";
import { sendFailure } from "./send_failure.ts";
import { sendingGraph } from "./sending_graph.ts";

/** A message that was claimed, ready for the wire. */
interface Claim {
  id: string;
  lease_token: number;
  phone_number_id: string;
  request: Record<string, unknown>;
  correlation_id: string | null;
  /** By this isolate's clock: then an answer, or the lack of one, is written down before the lease ends. */
  postBefore: number;
}

/**
 * Messages at once in one run, from the claim to the written answer: three numbers at 72 a second, Meta's answer in 0.2 s
 * and ours in 0.1.
 */
const CONCURRENCY = 80;
/** Meta answers within a second or two; what takes longer is told by a status. The lane keeps a lease for longer still. */
const GRAPH_TIMEOUT_MS = 15_000;
/** Of a lease, what is kept for writing down the answer. */
const SETTLING_MS = 3_000;

/** How hard to press, and how long to wait. */
export interface SendingOptions {
  /** Requests at the same moment, in one run. */
  concurrency?: number;
  /** How long Meta may take to answer. */
  graphTimeoutMs?: number;
}

/** The outbound queue of WhatsApp messages: what SQL lets go is posted, and SQL hears what Meta said. */
export function whatsappMessages(
  call: ServiceRpc,
  { concurrency = CONCURRENCY, graphTimeoutMs = GRAPH_TIMEOUT_MS }: SendingOptions = {},
): ClaimedSource<Claim> {
  return {
    name: "whatsapp_messages",
    concurrency,
    timeoutMs: graphTimeoutMs + 1_000,
    async claim(maxCount, leaseSeconds) {
      sendingGraph();
      // Counted from before the call: the lease begins later, and a stalled isolate must not believe that it has time.
      const postBefore = performance.now() + leaseSeconds * 1_000 - graphTimeoutMs - SETTLING_MS;
      const claims = await call("claim_whatsapp_messages", { max_count: maxCount, lease_seconds: leaseSeconds });
      return claims.map((claim) => ({ ...claim as Omit<Claim, "postBefore">, postBefore }));
    },
    handle: (claim, signal) => post(claim, { timeoutMs: graphTimeoutMs, signal }),
    complete: (settled) => eachOnItsOwn(settled, (each) => complete(call, each)),
    fail: (settled) => eachOnItsOwn(settled, (each) => fail(call, each)),
    release: (settled) => release(call, settled),
  };
}

/** After the lease's end a message counts as perhaps sent, and may be another's: what would come too late is not posted. */
async function post(
  { phone_number_id, request, postBefore }: Claim,
  options: Required<GraphOptions>,
): Promise<Outcome> {
  if (options.signal.aborted || performance.now() > postBefore) return { kind: "released" };
  const result = await sendMessage(sendingGraph(), phone_number_id, request, options);
  if (result.kind === "accepted") return { kind: "done", result };
  if (result.kind === "not_sent" && result.reason === "aborted") return { kind: "released" };
  return { kind: "failed", error: result };
}

async function complete(call: ServiceRpc, { item, result }: Settled<Claim>): Promise<void> {
  const { wamid, recipient: { wa_id, user_id } } = result as Accepted;
  await call("complete_whatsapp_message", {
    message_id: item.id,
    lease_token: item.lease_token,
    wamid,
    ...(wa_id !== null && { wa_id }),
    ...(user_id !== null && { user_id }),
  }, ofItem(item));
}

async function fail(call: ServiceRpc, { item, error }: Settled<Claim>): Promise<void> {
  await call(
    "fail_whatsapp_message",
    { message_id: item.id, lease_token: item.lease_token, error: sendFailure(error) },
    ofItem(item),
  );
}

async function release(call: ServiceRpc, settled: Settled<Claim>[]): Promise<number> {
  const released = await call("release_whatsapp_messages", {
    message_ids: settled.map(({ item }) => item.id),
    lease_tokens: settled.map(({ item }) => item.lease_token),
  });
  return released.length;
}

function ofItem({ correlation_id }: Claim): { correlationId?: string } {
  return correlation_id === null ? {} : { correlationId: correlation_id };
}
