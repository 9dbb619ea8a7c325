import * as z from "zod";
import type { Bytes } from "../bytes.ts";
import type { GraphApi } from "./graph_api.ts";
import { callGraph, type GraphOptions } from "./graph_call.ts";
import type { GraphFailure } from "./graph_failure.ts";
import { type MediaFault, mediaFault, type MediaKind } from "./media_limits.ts";
import { asSha256Hex, sha256Hex } from "./sha256.ts";

/** A file to be sent. */
export interface MediaFile {
  kind: MediaKind;
  mimeType: string;
  bytes: Bytes;
  /** What the bytes must hash to, in hex or base64. */
  sha256?: string;
}

/** Meta has the file; its id is good for 30 days. */
export type Uploaded = { kind: "uploaded"; media_id: string; sha256: string };

/** The file is not one that Meta takes, or not the one that was meant; nothing was sent. */
export type MediaRefused = { kind: "refused"; reason: MediaFault | "hash_mismatch" };

const UploadAnswer = z.object({ id: z.string().min(1).max(128) });

/** Gives Meta a file, for messages from this number. A repetition only makes another id. */
export async function uploadMedia(
  api: GraphApi,
  phoneNumberId: string,
  { kind, mimeType, bytes, sha256: expected }: MediaFile,
  options: GraphOptions = {},
): Promise<Uploaded | MediaRefused | GraphFailure> {
  const fault = mediaFault(kind, mimeType, bytes);
  if (fault) return { kind: "refused", reason: fault };
  const sha256 = await sha256Hex(bytes);
  if (expected !== undefined && asSha256Hex(expected) !== sha256) return { kind: "refused", reason: "hash_mismatch" };
  const body = new FormData();
  body.set("messaging_product", "whatsapp");
  body.set("type", mimeType);
  body.set("file", new Blob([bytes], { type: mimeType }), "file");
  const path = [phoneNumberId, "media"];
  const answer = await callGraph(api, { timeoutMs: 60_000, ...options, method: "POST", path, body });
  if (answer.kind !== "answered") return answer;
  const { data } = UploadAnswer.safeParse(answer.body);
  return data ? { kind: "uploaded", media_id: data.id, sha256 } : { kind: "unknown", reason: "unreadable_answer" };
}
