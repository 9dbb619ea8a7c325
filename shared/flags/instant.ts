const INSTANT =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d\d))(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d))?$/;

/** The epoch milliseconds of an ISO 8601 date (midnight UTC) or time with its offset; nothing when it is none. */
export function instantOf(text: string): number | undefined {
  const [, date, day] = INSTANT.exec(text) ?? [];
  if (!date || date.startsWith("0000")) return undefined;
  // The 31st of June would run over into July.
  if (new Date(`${date}T00:00:00Z`).getUTCDate() !== Number(day)) return undefined;
  return Date.parse(text);
}
