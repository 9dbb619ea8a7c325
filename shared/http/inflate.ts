import type { Bytes } from "../bytes.ts";
import { Problem } from "../problem.ts";
import { readStream } from "./read_body.ts";

/** Deflate grows at most about a thousandfold, so one slice can never become more than about a megabyte. */
const SLICE_BYTES = 1024;

/**
 * Inflates a body to at most `maxBytes`.
 *
 * @throws payload_too_large (413) for a bomb, invalid_body_encoding (400) for anything that is not of this format
 */
export async function inflate(
  bytes: Bytes,
  format: "gzip" | "deflate" | "deflate-raw",
  maxBytes: number,
): Promise<Bytes> {
  try {
    return await readStream(slices(bytes).pipeThrough(new DecompressionStream(format)), maxBytes);
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("invalid_body_encoding", { detail: `The body is not valid ${format}.` });
  }
}

/** The bytes piece by piece, and only on demand: handed over whole, a bomb would be inflated before it is measured. */
function slices(bytes: Bytes): ReadableStream<Bytes> {
  let offset = 0;
  return new ReadableStream({
    pull(controller): void {
      if (offset >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(offset, offset += SLICE_BYTES));
    },
  }, { highWaterMark: 0 });
}
