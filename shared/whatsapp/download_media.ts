import type { Bytes } from "../bytes.ts";
import { failureOfFetch } from "../fetch_failure.ts";
import { jsonOf } from "../json_of.ts";
import type { GraphApi } from "./graph_api.ts";
import { type GraphOptions, withToken } from "./graph_call.ts";
import { failureOfAnswer, type GraphFailure } from "./graph_failure.ts";
import { essenceOf } from "./media_limits.ts";
import { asSha256Hex, sha256Hex } from "./sha256.ts";

/** What Meta said of a file, in a webhook or in `findMedia()`. */
export interface MediaSource {
  url: string;
  mime_type: string;
  /** In hex or base64. */
  sha256: string;
  file_size?: number;
}

/** The file that Meta described. */
export type Downloaded = { kind: "downloaded"; bytes: Bytes; sha256: string };

/** `url_expired`: ask for a new one. The others will not get better by trying again. */
export type DownloadRefused = {
  kind: "refused";
  reason: "url_expired" | "foreign_address" | "redirected" | "too_large" | "mime_type_mismatch" | "hash_mismatch";
};

/** Where Meta keeps files; the Graph API itself is the other place that may see the token. */
const MEDIA_ORIGIN = "https://lookaside.fbsbx.com";
/** Every photo, voice message and video; documents may be larger, an isolate's memory is 256 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Fetches a file from Meta and compares it with what was said of it. */
export async function downloadMedia(
  api: GraphApi,
  source: MediaSource,
  { maxBytes = MAX_BYTES, timeoutMs = 60_000, signal }: GraphOptions & { maxBytes?: number } = {},
): Promise<Downloaded | DownloadRefused | GraphFailure> {
  const url = metaUrl(api, source.url);
  if (!url) return refused("foreign_address");
  const limit = Math.min(maxBytes, source.file_size ?? maxBytes);
  if (limit < (source.file_size ?? 0)) return refused("too_large");
  if (signal?.aborted) return { kind: "not_sent", reason: "aborted" };
  try {
    const answer = await api.fetch(url, withToken(api, { method: "GET", signal, timeoutMs, maxBytes: limit }));
    return await checked(source, answer);
  } catch (error) {
    const failure = failureOfFetch(error);
    return failure.reason === "answer_too_large" ? refused("too_large") : failure;
  }
}

/** The address, where it is Meta's; `user@` before a host hides nothing, since origins are compared as parsed. */
function metaUrl(api: GraphApi, text: string): URL | undefined {
  try {
    const url = new URL(text);
    return [MEDIA_ORIGIN, new URL(api.url).origin].includes(url.origin) ? url : undefined;
  } catch {
    return undefined;
  }
}

async function checked(
  source: MediaSource,
  answer: Response,
): Promise<Downloaded | DownloadRefused | GraphFailure> {
  if (answer.status === 404) return refused("url_expired");
  if (answer.status >= 300 && answer.status < 400) return refused("redirected");
  if (!answer.ok) return failureOfAnswer(answer, jsonOf(await answer.text()));
  if (!isSameType(answer.headers.get("content-type"), source.mime_type)) return refused("mime_type_mismatch");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const sha256 = await sha256Hex(bytes);
  if (sha256 !== asSha256Hex(source.sha256)) return refused("hash_mismatch");
  return { kind: "downloaded", bytes, sha256 };
}

/** A host of files may say nothing of their type; it must not say another. */
function isSameType(header: string | null, expected: string): boolean {
  const told = essenceOf(header ?? "");
  return ["", "application/octet-stream", "binary/octet-stream", essenceOf(expected)].includes(told);
}

function refused(reason: DownloadRefused["reason"]): DownloadRefused {
  return { kind: "refused", reason };
}
