/** A browser's side of web push: its subscription, and what only it can read. */
export interface Browser {
  subscription: { endpoint: string; keys: { p256dh: string; auth: string } };
  /** Decrypts a message (RFC 8291). */
  read(message: Uint8Array<ArrayBuffer>): Promise<string>;
}

type Octets = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const P256 = { name: "ECDH", namedCurve: "P-256" };

/** Subscribes a new browser. */
export async function subscribe(endpoint: string): Promise<Browser> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(P256, true, ["deriveBits"]) as CryptoKeyPair;
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return browserOf(endpoint, privateKey, point, crypto.getRandomValues(new Uint8Array(16)));
}

/** A browser with these keys. */
export function browserOf(endpoint: string, privateKey: CryptoKey, publicKey: Octets, auth: Octets): Browser {
  return {
    subscription: { endpoint, keys: { p256dh: toBase64Url(publicKey), auth: toBase64Url(auth) } },
    async read(message) {
      const salt = message.slice(0, 16);
      const keyLength = message[20]!;
      const sender = message.slice(21, 21 + keyLength);
      const theirs = await crypto.subtle.importKey("raw", sender, P256, false, []);
      const secret = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, privateKey, 256);
      const info = concat(ENCODER.encode("WebPush: info\0"), publicKey, sender);
      const ikm = await hkdf(new Uint8Array(secret), auth, info, 32);
      const key = await hkdf(ikm, salt, ENCODER.encode("Content-Encoding: aes128gcm\0"), 16);
      const iv = await hkdf(ikm, salt, ENCODER.encode("Content-Encoding: nonce\0"), 12);
      const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
      const record = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, message.slice(21 + keyLength));
      const plain = new Uint8Array(record);
      return new TextDecoder().decode(plain.slice(0, plain.lastIndexOf(2)));
    },
  };
}

/** Bytes as base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Bytes of base64url. */
export function fromBase64Url(text: string): Octets {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

async function hkdf(secret: Octets, salt: Octets, info: Octets, length: number): Promise<Octets> {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, length * 8));
}

function concat(...parts: Uint8Array[]): Octets {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
