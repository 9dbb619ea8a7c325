import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { corpus } from "./corpus/corpus.ts";
import { COVERAGE, objectsIn, read } from "./corpus/coverage.ts";
import type { Delivery, ExpectedItem } from "./corpus/delivery.ts";
import { metaJson } from "../../scripts/fakes/graph/meta_json.ts";
import { random } from "../../scripts/fakes/random.ts";
import { expectedItems, expectedStore } from "./expected.ts";
import { judged } from "./oracle/items.ts";
import { canonical } from "./oracle/json.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const DAY = 86_400_000;
const CORPORA = [1, 2, 2026].map((seed) => ({ seed, deliveries: corpus(seed, 450, NOW) }));

/** One test for each seed. */
function forEachCorpus(name: string, test: (deliveries: Delivery[]) => void): void {
  for (const { seed, deliveries } of CORPORA) Deno.test(`${name} (seed ${seed})`, () => test(deliveries));
}

const byPath = (items: ExpectedItem[]) => items.toSorted((a, b) => (a.path < b.path ? -1 : 1));

Deno.test("corpus() gives the same bytes for the same seed, others for another", () => {
  const bytesOf = (seed: number) => corpus(seed, 30, NOW).map(({ bytes }) => bytes);

  const first = bytesOf(7);

  assertEquals(bytesOf(7), first);
  assertNotEquals(bytesOf(8), first);
});

forEachCorpus("corpus() records for each delivery the items that the oracle reads from its bytes", (deliveries) => {
  for (const { name, bytes, items } of deliveries) {
    assertEquals(byPath(expectedItems(bytes, NOW)), byPath(items), name);
  }
});

for (const [name, { wanted, found }] of Object.entries(COVERAGE)) {
  forEachCorpus(`corpus() holds every ${name}`, (deliveries) => {
    const all = new Set(deliveries.flatMap((delivery) => found(read(delivery)).map(String)));

    const missing = wanted.split(/\s+/).filter((each) => !all.has(each));

    assertEquals(missing, []);
  });
}

forEachCorpus("corpus() gives each item a path that leads to a value of the body", (deliveries) => {
  for (const delivery of deliveries) {
    const { body } = read(delivery);
    for (const { path, reason } of delivery.items) {
      const steps = path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
      const value = steps.reduce<unknown>(
        (json, step) => (Object.hasOwn(Object(json), step) ? Object(json)[step] : undefined),
        body,
      );
      assert(value !== undefined || reason === "not_json", `${delivery.name} ${path}`);
    }
  }
});

forEachCorpus("corpus() gives no number to two users and no user two numbers", (deliveries) => {
  const pairs = [["from", "from_user_id"], ["to", "to_user_id"], ["wa_id", "user_id"], [
    "recipient_id",
    "recipient_user_id",
  ], [
    "recipient_participant_id",
    "recipient_participant_user_id",
  ]] as const;
  const partners = new Map<string, Set<string>>();

  for (const node of deliveries.flatMap((delivery) => [...objectsIn(read(delivery).body)])) {
    for (const [phone, user] of pairs.map(([phone, user]) => [node[phone], node[user]])) {
      if (typeof phone !== "string" || typeof user !== "string") continue;
      partners.set(phone, (partners.get(phone) ?? new Set()).add(user));
      partners.set(user, (partners.get(user) ?? new Set()).add(phone));
    }
  }

  assert(partners.size > 60);
  assertEquals([...partners].filter(([, others]) => others.size > 1), []);
});

forEachCorpus("corpus() is at most 20 days old except for what is stale and for the history", (deliveries) => {
  const old = deliveries.flatMap(({ name, items }) =>
    items.filter(({ kind, outcome, occurred_at }) =>
      occurred_at && NOW.getTime() - occurred_at.getTime() > 20 * DAY && outcome !== "stale" && kind !== "history"
    ).map(({ path }) => `${name} ${path}`)
  );

  assertEquals(old, []);
});

forEachCorpus("corpus() has the same content in an exploded array only where all else is the same", (deliveries) => {
  const places = new Map<string, string>();

  for (
    const { found, kind, outcome, occurred_at } of deliveries.flatMap(({ bytes }) => judged(bytes, NOW, new Set()))
  ) {
    if (!found.isElement || outcome === "dead_letter" || (kind !== "event" && kind !== "unknown")) continue;
    const { value, entry } = found as { value: { metadata?: unknown }; entry: { id: unknown } };
    const content = canonical(found.json);
    const place = canonical([found.field, value.metadata, entry.id, occurred_at]);
    assertEquals(places.get(content) ?? place, place);
    places.set(content, place);
  }

  assert(places.size > 30);
});

forEachCorpus("expectedStore() is the same in whatever order the deliveries come", (deliveries) => {
  const shuffled = random(99).shuffle(deliveries);

  assertEquals(expectedStore(shuffled, NOW), expectedStore(deliveries, NOW));
});

Deno.test("metaJson() escapes what is not ASCII and the slash, and means the same", () => {
  const value = { "é/": "🛵 \0\ud800 a\\u0000" };

  const json = metaJson(value);

  assertEquals(json, String.raw`{"\u00e9\/":"\ud83d\udef5 \u0000\ud800 a\\u0000"}`);
  assertEquals(JSON.parse(json), value);
});
