/** What providers without a library of their own put into their headers. */
export async function hmacOf(
  hash: "SHA-256" | "SHA-512",
  body: string,
  secret: string,
  form: "hex" | "base64",
): Promise<string> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(body)));
  if (form === "base64") return btoa(String.fromCharCode(...mac));
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
