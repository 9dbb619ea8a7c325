import * as z from "zod";
import type { GraphApi } from "./graph_api.ts";
import { callGraph, type GraphOptions } from "./graph_call.ts";
import type { GraphFailure } from "./graph_failure.ts";
import { GraphInteger } from "./graph_integer.ts";

/** Where a file can be fetched for the next five minutes, and what it is. */
export type FoundMedia = {
  kind: "found";
  media_id: string;
  url: string;
  mime_type: string;
  sha256: string;
  file_size: number;
};

const MediaAnswer = z.object({
  id: z.string(),
  url: z.url(),
  mime_type: z.string(),
  sha256: z.string(),
  file_size: GraphInteger,
});

/**
 * Asks Meta where a file is. Ids from webhooks are good for 7 days, uploaded ones for 30.
 *
 * @param phoneNumberId - the number that the file came to or was uploaded for: Meta refuses any other
 */
export async function findMedia(
  api: GraphApi,
  mediaId: string,
  { phoneNumberId, ...options }: GraphOptions & { phoneNumberId?: string } = {},
): Promise<FoundMedia | GraphFailure> {
  const query = phoneNumberId ? { phone_number_id: phoneNumberId } : undefined;
  const answer = await callGraph(api, { ...options, method: "GET", path: [mediaId], query });
  if (answer.kind !== "answered") return answer;
  const { data } = MediaAnswer.safeParse(answer.body);
  if (!data) return { kind: "unknown", reason: "unreadable_answer" };
  const { id, ...file } = data;
  return { kind: "found", media_id: id, ...file };
}
