/** Lower case by Unicode's simple mapping, a character at a time, as Postgres's collation pg_c_utf8 has it. */
export function lowerCase(text: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, (character) => character === "İ" ? "i" : character.toLowerCase()).join("");
}
