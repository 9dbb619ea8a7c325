import type { Bytes } from "../bytes.ts";

/** What a media message can be. */
export type MediaKind = "audio" | "document" | "image" | "sticker" | "video";

/** Why a file cannot be sent. */
export type MediaFault = "empty" | "mime_type_not_supported" | "too_large";

const KB = 1024;
const MB = 1024 * KB;

/** @see Meta, Cloud API: "Supported media types" */
const LIMITS: Record<MediaKind, { mimeTypes: readonly string[]; maxBytes: number }> = {
  audio: { mimeTypes: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"], maxBytes: 16 * MB },
  document: {
    mimeTypes: [
      "application/pdf",
      "application/msword",
      "application/vnd.ms-excel",
      "application/vnd.ms-powerpoint",
      "application/vnd.openxmlformats-officedocument.presentationml.presentation",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "text/plain",
    ],
    maxBytes: 100 * MB,
  },
  image: { mimeTypes: ["image/jpeg", "image/png"], maxBytes: 5 * MB },
  sticker: { mimeTypes: ["image/webp"], maxBytes: 100 * KB },
  video: { mimeTypes: ["video/3gp", "video/3gpp", "video/mp4"], maxBytes: 16 * MB },
};
const MAX_ANIMATED_STICKER = 500 * KB;

/** Why Meta would not take this file, or undefined when it would. */
export function mediaFault(kind: MediaKind, mimeType: string, bytes: Bytes): MediaFault | undefined {
  const { mimeTypes, maxBytes } = LIMITS[kind];
  if (!mimeTypes.includes(essenceOf(mimeType))) return "mime_type_not_supported";
  if (bytes.length === 0) return "empty";
  const limit = kind === "sticker" && isAnimatedWebp(bytes) ? MAX_ANIMATED_STICKER : maxBytes;
  return bytes.length > limit ? "too_large" : undefined;
}

/** A media type without its parameters: `audio/ogg; codecs=opus` is audio/ogg. */
export function essenceOf(mimeType: string): string {
  return mimeType.split(";", 1)[0]!.trim().toLowerCase();
}

/** The animation bit of a WebP's extended header (RFC 9649, section 2.7). */
function isAnimatedWebp(bytes: Bytes): boolean {
  const isExtended = String.fromCharCode(...bytes.subarray(8, 16)) === "WEBPVP8X";
  return isExtended && (bytes[20]! & 0b10) !== 0;
}
