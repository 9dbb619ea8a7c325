import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { markRead } from "shared/whatsapp/mark_read.ts";
import type { ClaimedSource } from "shared/worker/source.ts";
import { sendingGraph } from "./sending_graph.ts";

/** An inbound message to be shown as read. */
interface Read {
  phone_number_id: string;
  wamid: string;
  is_typing: boolean;
}

const TIMEOUT_MS = 10_000;

/** Messages to be shown as read. They are taken for good: one that Meta does not show is not made up for. */
export function whatsappReads(call: ServiceRpc): ClaimedSource<Read> {
  return {
    name: "whatsapp_reads",
    concurrency: 20,
    timeoutMs: TIMEOUT_MS,
    async claim(maxCount) {
      sendingGraph();
      return await call("claim_whatsapp_reads", { max_count: maxCount }) as Read[];
    },
    async handle({ phone_number_id, wamid, is_typing }, signal) {
      const options = { typing: is_typing, timeoutMs: TIMEOUT_MS, signal };
      const result = await markRead(sendingGraph(), phone_number_id, wamid, options);
      return result.kind === "done" ? { kind: "done" } : { kind: "failed", error: result };
    },
    complete: (reads) => Promise.resolve(reads.length),
    fail: (reads) => Promise.resolve(reads.length),
    release: (reads) => Promise.resolve(reads.length),
  };
}
