import { assertEquals } from "@std/assert";
import { dirname, join, normalize } from "@std/path";
import { anchorsOf, readPages, withoutCode } from "./pages.ts";

/** The links of a page that lead nowhere in this repository. */
async function deadLinks(path: string, text: string): Promise<string[]> {
  const dead = [];
  for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target!)) continue;
    if (!await leadsSomewhere(path, target!)) dead.push(`${path}: ${target}`);
  }
  return dead;
}

async function leadsSomewhere(path: string, target: string): Promise<boolean> {
  const [file, anchor] = target.split("#");
  const wanted = file === "" ? path : normalize(join(dirname(path), file!));
  const found = await Deno.stat(wanted).catch(() => null);
  if (!found || anchor === undefined) return found !== null;
  return found.isFile && anchorsOf(await Deno.readTextFile(wanted)).has(anchor);
}

Deno.test("a link to a page or heading that is not there is found", async () => {
  const text =
    "# A page\n[here](#a-page) [away](gone.md) [heading](runbook.md#gone) `[code](gone.md)` <https://example.com>";

  assertEquals(await deadLinks("docs/page.md", text.replace("#a-page", "runbook.md#runbook")), [
    "docs/page.md: gone.md",
    "docs/page.md: runbook.md#gone",
  ]);
});

Deno.test("every link between pages leads to a file and a heading that are there", async () => {
  const dead = [];
  for (const page of await readPages()) dead.push(...await deadLinks(page.path, page.text));

  assertEquals(dead, []);
});
