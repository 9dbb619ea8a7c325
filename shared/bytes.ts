/**
 * Bytes in memory of their own, which every web API takes.
 *
 * Since TypeScript 5.7 a plain `Uint8Array` may be shared memory, which they refuse; the platform's TypeScript 5.6 does
 * not know `Bytes`. This name means the right one in both.
 */
export type Bytes = ReturnType<typeof Uint8Array.of>;
