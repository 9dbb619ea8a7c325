import { Problem } from "../problem.ts";

/**
 * Refuses a body that is not declared as one of the given media types (or `application/*+json`), in UTF-8.
 *
 * @throws unsupported_media_type (415), with what would be accepted in `Accept` (RFC 9110, 15.5.16)
 */
export function requireMediaType(headers: Headers, types: readonly string[]): void {
  // A header that was sent twice arrives as a list: every entry has to agree.
  const declared = (headers.get("content-type") ?? "").split(",");
  if (declared.every((entry) => isAccepted(entry, types))) return;
  throw new Problem("unsupported_media_type", {
    detail: `Send ${types.join(" or ")} in UTF-8.`,
    headers: { accept: types.join(", ") },
  });
}

/**
 * Tells whether the body is gzip.
 *
 * @throws unsupported_content_encoding (415) for any other coding
 */
export function isGzip(headers: Headers): boolean {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (coding === "identity") return false;
  if (coding === "gzip" || coding === "x-gzip") return true;
  throw new Problem("unsupported_content_encoding", { headers: { "accept-encoding": "gzip" } });
}

function isAccepted(entry: string, types: readonly string[]): boolean {
  const [type = "", ...parameters] = entry.toLowerCase().split(";").map((part) => part.trim());
  if (!types.includes(type) && !/^application\/[\w.-]+\+json$/.test(type)) return false;
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice(8).replaceAll('"', "");
  return charset === undefined || charset === "utf-8" || charset === "utf8";
}
