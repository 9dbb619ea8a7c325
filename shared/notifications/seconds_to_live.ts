/**
 * How long a provider may keep what it cannot deliver at once: until it expires, at least a second, at most `longest`.
 *
 * @param expiresAt - ISO 8601; null if it does not expire
 */
export function secondsToLive(expiresAt: string | null, now: Date, longest: number): number {
  if (expiresAt === null) return longest;
  const seconds = Math.floor((Date.parse(expiresAt) - now.getTime()) / 1_000);
  return Math.min(Math.max(seconds, 1), longest);
}
