import * as z from "zod";

/** What Meta asks when the callback URL or the verify token is saved. */
export const Handshake = z.object({
  "hub.mode": z.literal("subscribe"),
  "hub.verify_token": z.string().describe("must equal WHATSAPP_VERIFY_TOKEN"),
  "hub.challenge": z.string().max(1000).describe("sent back as the body"),
});

/** What became of a delivery; Meta reads only the status. */
export const Receipt = z.object({
  delivery_id: z.uuid(),
  is_copy: z.boolean().describe("these bytes had been received before, so nothing was done"),
  item_count: z.int(),
  stored_count: z.int(),
  duplicate_count: z.int(),
  stale_count: z.int(),
  unroutable_count: z.int(),
  dead_letter_count: z.int(),
});
