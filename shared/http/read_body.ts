import type { Bytes } from "../bytes.ts";
import { Problem } from "../problem.ts";

/**
 * Reads a body of at most `maxBytes`.
 *
 * @throws payload_too_large (413): at once when Content-Length says so, otherwise as soon as the bytes are too many
 */
export async function readBody(request: Request, maxBytes: number): Promise<Bytes> {
  const declared = request.headers.get("content-length");
  if (declared === null) return await readStream(request.body, maxBytes).catch(cutOff);
  if (Number(declared) > maxBytes) throw tooLarge(maxBytes);
  // An HTTP server never passes on more than Content-Length, so this reads a bounded body, in one piece.
  const bytes = new Uint8Array(await request.arrayBuffer().catch(cutOff));
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

/** Reads a stream of at most `maxBytes`, and stops reading when there are more. */
export async function readStream(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Bytes> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return concat(chunks, size);
}

/** Reads the first `maxBytes` of a stream, or all of a shorter one, and stops reading then. */
export async function readStart(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Bytes> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunks.at(-1)!.length;
    if (size === maxBytes) break;
  }
  return concat(chunks, size);
}

function concat(chunks: Uint8Array[], size: number): Bytes {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("payload_too_large", { detail: `At most ${maxBytes} bytes are accepted here.` });
}

/** The client went away or lost count of its chunks. */
function cutOff(cause: unknown): never {
  if (cause instanceof Problem) throw cause;
  throw new Problem("invalid_body_encoding", { detail: "The body ended early.", cause });
}
