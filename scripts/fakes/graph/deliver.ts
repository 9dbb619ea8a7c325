const ENCODER = new TextEncoder();

/** The app secret of the local stack. */
export const APP_SECRET = "local-app-secret";

/** Whatever answers a request: `fetch`, or a function's own `.fetch`. */
export type FetchLike = (request: Request) => Response | Promise<Response>;

/** A body with a header that must not be accepted; null is no header at all. */
export interface Forgery {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  signature: string | null;
}

/** The value of `X-Hub-Signature-256` that Meta sends with these bytes. */
export async function sign(bytes: Uint8Array<ArrayBuffer>, secret: string): Promise<string> {
  return `sha256=${await hmac("SHA-256", bytes, secret)}`;
}

/** Sends a delivery as Meta does, signed with `secret` or carrying the `signature` given; null sends none. */
export async function deliver(
  fetchLike: FetchLike,
  url: string | URL,
  bytes: Uint8Array<ArrayBuffer>,
  { secret = APP_SECRET, signature }: { secret?: string; signature?: string | null } = {},
): Promise<Response> {
  const header = signature === undefined ? await sign(bytes, secret) : signature;
  const headers = new Headers({ "content-type": "application/json" });
  if (header !== null) headers.set("x-hub-signature-256", header);
  return await fetchLike(new Request(url, { method: "POST", headers, body: bytes }));
}

/** Every way in which a delivery is not one of Meta's. */
export async function forge(bytes: Uint8Array<ArrayBuffer>, secret: string = APP_SECRET): Promise<Forgery[]> {
  const good = await sign(bytes, secret);
  const signatures: Record<string, string | null> = {
    "wrong secret": await sign(bytes, `${secret}x`),
    "missing header": null,
    "empty header": "",
    "no hex": "sha256=",
    "no prefix": good.slice("sha256=".length),
    "sha1 header": `sha1=${await hmac("SHA-1", bytes, secret)}`,
    "truncated hex": good.slice(0, -2),
    "one digit too many": `${good}0`,
    "upper-case hex": `sha256=${good.slice("sha256=".length).toUpperCase()}`,
    "no hex digits": `sha256=${"z".repeat(64)}`,
    "signature of another body": await sign(ENCODER.encode("another body"), secret),
    "signature of an empty body": await sign(new Uint8Array(), secret),
  };
  return [
    ...Object.entries(signatures).map(([name, signature]) => ({ name, bytes, signature })),
    { name: "body changed by one byte", bytes: changed(bytes), signature: good },
    { name: "body emptied", bytes: new Uint8Array(), signature: good },
  ];
}

/** The bytes with the middle one changed; an empty body gets one. */
function changed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return new Uint8Array(1);
  const middle = bytes.length >> 1;
  return bytes.map((byte, index) => (index === middle ? byte ^ 1 : byte));
}

async function hmac(hash: string, bytes: Uint8Array<ArrayBuffer>, secret: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", ENCODER.encode(secret), { name: "HMAC", hash }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
