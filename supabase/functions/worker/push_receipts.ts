import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import { log } from "shared/log.ts";
import { expoReceipts } from "shared/notifications/push/expo_receipts.ts";
import type { RepeatedSource, Turn } from "shared/worker/source.ts";

/** Tickets of one turn; Expo's own client asks for as many. */
const MAX_TICKETS = 300;

/** Reads what became of push messages that Expo took: forgets devices that are gone, and logs what is ours to mend. */
export function pushReceipts(call: ServiceRpc): RepeatedSource {
  return {
    name: "push_receipts",
    async turn(): Promise<Turn> {
      const ticketIds = await call("due_push_tickets", { max_count: MAX_TICKETS });
      if (ticketIds.length === 0) return { done: 0, failed: 0, more: false };
      const receipts = await expoReceipts(guardedFetch, ticketIds);
      if (receipts.kind !== "read") {
        log("notifications.receipts", { code: receipts.code, tickets: ticketIds.length }, "warn");
        return { done: 0, failed: ticketIds.length, more: false };
      }
      const { settled, gone, errors } = receipts;
      for (const [code, count] of Object.entries(errors)) log("notifications.receipt_error", { code, count }, "warn");
      await call("settle_push_tickets", { ticket_ids: settled, gone_ticket_ids: gone });
      return { done: settled.length, failed: 0, more: ticketIds.length === MAX_TICKETS };
    },
  };
}
