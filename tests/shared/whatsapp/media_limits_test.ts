import { assertEquals } from "@std/assert";
import { mediaFault, type MediaKind } from "../../../shared/whatsapp/media_limits.ts";

const KB = 1024;
const MB = 1024 * KB;

/** Each kind's largest file, by Meta's page "Supported media types". */
const LARGEST: [kind: MediaKind, mimeType: string, bytes: number][] = [
  ["audio", "audio/ogg; codecs=opus", 16 * MB],
  ["document", "application/pdf", 100 * MB],
  ["image", "IMAGE/JPEG", 5 * MB],
  ["sticker", "image/webp", 100 * KB],
  ["video", "video/mp4", 16 * MB],
];

for (const [kind, mimeType, size] of LARGEST) {
  Deno.test(`mediaFault() takes a file of kind ${kind} up to ${size} bytes`, () => {
    const larger = new Uint8Array(size + 1);

    assertEquals(mediaFault(kind, mimeType, larger.subarray(1)), undefined);
    assertEquals(mediaFault(kind, mimeType, larger), "too_large");
    assertEquals(mediaFault(kind, mimeType, new Uint8Array()), "empty");
  });
}

Deno.test("mediaFault() lets animated stickers be larger", () => {
  const animated = webp("VP8X", 0b10, 500 * KB);

  assertEquals(mediaFault("sticker", "image/webp", animated), undefined);
  assertEquals(mediaFault("sticker", "image/webp", webp("VP8X", 0b10, 500 * KB + 1)), "too_large");
  assertEquals(mediaFault("sticker", "image/webp", webp("VP8X", 0b10000, 500 * KB)), "too_large");
  assertEquals(mediaFault("sticker", "image/webp", webp("VP8 ", 0b10, 500 * KB)), "too_large");
});

Deno.test("mediaFault() takes the types that Meta takes, each as its own kind", () => {
  const bytes = new Uint8Array(1);
  const refused: [MediaKind, string][] = [
    ["image", "image/webp"],
    ["image", "image/svg+xml"],
    ["video", "video/quicktime"],
    ["document", "text/html"],
    ["audio", "video/mp4"],
    ["sticker", "image/png"],
    ["image", ""],
    ["image", "image/jpeg, text/html"],
  ];

  for (const [kind, mimeType] of refused) {
    assertEquals(mediaFault(kind, mimeType, bytes), "mime_type_not_supported", mimeType);
  }
});

function webp(chunk: string, flags: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(`RIFF\0\0\0\0WEBP${chunk}`));
  bytes[20] = flags;
  return bytes;
}
