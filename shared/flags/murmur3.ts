const encoder = new TextEncoder();
const scratch = new Uint8Array(256);

/**
 * MurmurHash3 (x86, 32 bits) of a text's UTF-8 bytes, as servers in Go, Java and Rust hash it.
 *
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
export function murmur3(text: string, seed = 0): number {
  const isShort = writeAscii(text);
  const bytes = isShort ? scratch : encoder.encode(text);
  const length = isShort ? text.length : bytes.length;
  const tail = length & ~3;
  let hash = seed;
  for (let at = 0; at < tail; at += 4) {
    hash ^= scrambled(bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24);
    hash = Math.imul(hash << 13 | hash >>> 19, 5) + 0xe6546b64;
  }
  let rest = 0;
  for (let at = length - 1; at >= tail; at--) rest = rest << 8 | bytes[at]!;
  hash ^= scrambled(rest) ^ length;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}

/** Writes what is short and ASCII, as ids are, into `scratch`: calling the encoder costs more than the hash. */
function writeAscii(text: string): boolean {
  if (text.length > scratch.length) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return false;
    scratch[at] = code;
  }
  return true;
}

function scrambled(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul(mixed << 15 | mixed >>> 17, 0x1b873593);
}
