import { assertEquals } from "@std/assert";
import { markdownOf } from "./limits/limit.ts";
import { LIMITS } from "./limits.ts";

const DOCUMENT = new URL("../../../docs/whatsapp.md", import.meta.url);

Deno.test("the table of limits in the documentation is the one that is tested", async () => {
  const text = await Deno.readTextFile(DOCUMENT);

  assertEquals(text.split("\n").filter((line) => /^\| \w+: /.test(line)).map(cells), LIMITS.map(markdownOf).map(cells));
});

/** What stands in a row, however wide its columns are. */
function cells(row: string): string[] {
  return row.split("|").map((cell) => cell.trim());
}
