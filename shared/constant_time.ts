const encoder = new TextEncoder();
let ephemeralKey: Promise<CryptoKey> | undefined;

/**
 * Tells which of our secrets a stranger's value equals, in time that says nothing about how far they agree.
 *
 * Both sides are put through HMAC under a key that lives as long as the isolate, so that neither the length nor the
 * position of the first difference can be measured (double HMAC).
 *
 * @returns the index of the equal secret, or -1
 */
export async function indexOfSecret(given: string, secrets: readonly string[]): Promise<number> {
  const key = await (ephemeralKey ??= newKey());
  const macs = await Promise.all([given, ...secrets].map((text) => mac(key, text)));
  const [wanted = new Uint8Array(), ...candidates] = macs;
  let found = -1;
  // Every secret is looked at, also after a hit.
  candidates.forEach((candidate, index) => {
    if (sameBytes(wanted, candidate)) found = index;
  });
  return found;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) difference |= (one[index] ?? 0) ^ (other[index] ?? 0);
  return difference === 0;
}

async function mac(key: CryptoKey, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}

function newKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}
