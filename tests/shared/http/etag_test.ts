import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { conditionalJson, matchesEtag, quickEtag, strongEtag } from "shared/http/etag.ts";
import { captureLog } from "../../support/log_lines.ts";

captureLog();

Deno.test("strongEtag() depends on every byte and on nothing else", async () => {
  const etag = await strongEtag('{"a":1}');

  assertMatch(etag, /^"[\w-]{43}"$/);
  assertEquals(await strongEtag(new TextEncoder().encode('{"a":1}')), etag);
  assertNotEquals(await strongEtag('{"a":2}'), etag);
});

Deno.test("quickEtag() tells apart texts that differ a little", () => {
  const base = JSON.stringify(Array.from({ length: 20 }, (_, number) => ({ key: `flag-${number}`, value: false })));
  const texts = Array.from(base, (_, at) => [...base].with(at, "~").join(""));
  const swapped = [...base].with(5, base[6]!).with(6, base[5]!).join("");

  const etags = [base, swapped, `${base} `, base.slice(1), "", ...texts].map(quickEtag);

  assertEquals(new Set(etags).size, etags.length);
  assertEquals(quickEtag(base), etags[0]);
  assertEquals(etags.every((etag) => /^"[a-z0-9-]+"$/.test(etag)), true);
});

for (const header of ['"a"', 'W/"a"', '"x", W/"a"', '"x","a"', "*", ' "a" ', '"with, comma", "a"']) {
  Deno.test(`matchesEtag() finds "a" in ${header}`, () => {
    assert(matchesEtag(header, '"a"'));
  });
}

for (const header of [undefined, null, "", '"b"', "a", '"a', '"x, a"', 'w/"b"']) {
  Deno.test(`matchesEtag() does not find "a" in ${header}`, () => {
    assertFalse(matchesEtag(header, '"a"'));
  });
}

Deno.test("matchesEtag() compares weakly in both directions", () => {
  assert(matchesEtag('"a"', 'W/"a"'));
});

Deno.test("conditionalJson() answers 304 to a client that has the document", async () => {
  const app = createApp("example");
  app.get("/", (c) => conditionalJson(c, '{"a":1}'));

  const first = await app.request("/example");
  const etag = first.headers.get("etag")!;
  const second = await app.request("/example", { headers: { "if-none-match": `W/${etag}` } });

  assertEquals([first.status, await first.text()], [200, '{"a":1}']);
  assertEquals(first.headers.get("cache-control"), "private, no-cache");
  assertEquals([second.status, await second.text(), second.headers.get("etag")], [304, "", etag]);
});
