import { graphError } from "./graph_errors.ts";
import type { Line } from "./wire.ts";

/** What goes wrong with one request: whether Meta carries it out all the same, and what the client gets to see. */
export interface Misbehaviour {
  accepts: boolean;
  answer: BadAnswer;
}

/**
 * - `silence`: nothing, and the connection stays
 * - `close`: the connection breaks without an answer
 * - `noise`: bytes that are no HTTP
 * - `garbage`: a 200 that is no JSON; `no_id`: a 200 that names no message; `repeated`: two answers in one body
 * - `truncated`: half of the body, then the end of the connection; `stalled`: half of it, then nothing
 * - `short_length`, `two_lengths`: a length that is not the body's, lengths that contradict each other
 * - `dripping`: a good answer, a byte at a time; `endless`: a 200 whose body does not end
 * - `status`: the page of something in front of Graph; `code`: an error of Graph
 */
export type BadAnswer =
  | "silence"
  | "close"
  | "noise"
  | "garbage"
  | "no_id"
  | "repeated"
  | "truncated"
  | "stalled"
  | "short_length"
  | "two_lengths"
  | "dripping"
  | "endless"
  | { status: number }
  | { code: number; details?: string; retryAfter?: number };

/** Answers that a client waits for until it has had enough. */
export const LASTING_ANSWERS: readonly BadAnswer[] = ["silence", "stalled", "dripping"];

/** Answers that leave open whether the request was carried out, whatever it was. */
export const DOUBTFUL_ANSWERS: readonly BadAnswer[] = [
  ...LASTING_ANSWERS,
  "close",
  "noise",
  "garbage",
  "no_id",
  "repeated",
  "truncated",
  "short_length",
  "two_lengths",
  "endless",
  ...[408, 500, 502, 503, 504].map((status) => ({ status })),
  ...[2, 131000, 131016, 131057, 133004].map((code) => ({ code })),
];

/** What an answer needs besides itself to go wrong. */
export interface Stage {
  line: Line;
  /** Settles when the server stops: until then silence lasts. */
  stopped: Promise<void>;
}

/** What the client gets to see instead of a good answer. */
export async function spoil(good: Response, answer: BadAnswer, { line, stopped }: Stage): Promise<Response> {
  if (typeof answer === "object") return "code" in answer ? graphError(answer.code, answer) : page(answer.status);
  if (answer === "garbage") return page(200);
  if (answer === "no_id") return Response.json({ messaging_product: "whatsapp" });
  if (answer === "endless") return new Response(endless());
  const body = await good.bytes();
  if (answer === "repeated") return new Response(new Blob([body, body]));
  if (answer === "dripping") return new Response(dripping(body));
  await line.write(new Blob(beginning(body, answer)));
  if (answer === "silence" || answer === "stalled") await stopped;
  line.close();
  return new Response();
}

/** What is sent before the connection breaks or falls silent. */
function beginning(body: Uint8Array<ArrayBuffer>, answer: BadAnswer): BlobPart[] {
  const half = body.subarray(0, body.length >> 1);
  if (answer === "noise") return ["\x16\x03\x01 no HTTP\r\n\r\n"];
  if (answer === "truncated" || answer === "stalled") return [ok(body.length), half];
  if (answer === "short_length") return [ok(half.length), body];
  if (answer === "two_lengths") return [ok(half.length, body.length), body];
  return [];
}

function ok(...lengths: number[]): string {
  return `HTTP/1.1 200 OK\r\n${lengths.map((length) => `content-length: ${length}\r\n`).join("")}\r\n`;
}

/** What a proxy says for itself. */
function page(status: number): Response {
  return new Response(`<html><h1>${status}</h1></html>`, { status, headers: { "content-type": "text/html" } });
}

function endless(): ReadableStream<Uint8Array> {
  const piece = new Uint8Array(16 * 1024).fill(0x20);
  return new ReadableStream({ pull: (stream) => stream.enqueue(piece) });
}

function dripping(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  let drip: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start(stream): void {
      drip = setInterval(() => {
        stream.enqueue(bytes.subarray(at, ++at));
        if (at < bytes.length) return;
        clearInterval(drip);
        stream.close();
      }, 20);
    },
    cancel: () => clearInterval(drip),
  });
}
