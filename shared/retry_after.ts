/**
 * The seconds that a `Retry-After` header asks to wait, in either of its forms; null without a usable one.
 *
 * @see RFC 9110, section 10.2.3
 */
export function retryAfterSeconds(header: string | null, now: Date): number | null {
  if (header === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now.getTime()) / 1000));
}
