/** The number 1e400, which is JSON and fits into a numeric but not into a double. */
export const BEYOND_DOUBLE = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON("1e400");

/** JSON as Meta writes it: every non-ASCII unit as `\uXXXX` and `/` as `\/`. */
export function metaJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/[\u007f-\uffff]/g, (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"))
    .replaceAll("/", "\\/");
}
