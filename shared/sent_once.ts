/**
 * A request's body that `fetch` sends once.
 *
 * Since 2.7 Deno sends a request again by itself when the body is text or bytes and a connection that was used before
 * breaks, even if the first one was carried out. A Blob goes out once and keeps its length.
 *
 * @see https://github.com/denoland/deno/pull/32566
 */
export function sentOnce(body: BodyInit, type = ""): BodyInit {
  if (body instanceof URLSearchParams) {
    return new Blob([body.toString()], { type: type || "application/x-www-form-urlencoded;charset=UTF-8" });
  }
  return typeof body === "string" || ArrayBuffer.isView(body) || body instanceof ArrayBuffer
    ? new Blob([body as BlobPart], { type })
    : body;
}
