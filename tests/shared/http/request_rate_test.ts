import { assertEquals } from "@std/assert";
import { RequestRate } from "shared/http/request_rate.ts";

/** How many of so many requests at one moment are let through. */
function passed(rate: RequestRate, client: string, count: number, now: number): number {
  return Array.from({ length: count }, () => rate.charge(client, 60, now)).filter((wait) => wait === 0).length;
}

Deno.test("RequestRate lets a sixth of a minute's requests come at once, then one by one", () => {
  const rate = new RequestRate();

  assertEquals(passed(rate, "a", 50, 0), 10);
  assertEquals(passed(rate, "a", 50, 999), 0);
  assertEquals(passed(rate, "a", 50, 3_000), 3);
  assertEquals(passed(rate, "a", 50, 1_000_000), 10);
});

Deno.test("RequestRate says how long to wait, and then it is enough", () => {
  const rate = new RequestRate();
  passed(rate, "a", 10, 0);

  const wait = rate.charge("a", 60, 400);

  assertEquals(wait, 600);
  assertEquals(rate.charge("a", 60, 400 + wait - 1) > 0, true);
  assertEquals(rate.charge("a", 60, 400 + wait), 0);
});

Deno.test("RequestRate lets one come at a time where a sixth is less than one", () => {
  const rate = new RequestRate();

  assertEquals([rate.charge("a", 2, 0), rate.charge("a", 2, 0), rate.charge("a", 2, 30_000)], [0, 30_000, 0]);
});

Deno.test("RequestRate forgets the client heard of the longest ago when there are too many", () => {
  const rate = new RequestRate();
  passed(rate, "first", 10, 0);
  passed(rate, "second", 10, 0);

  for (let client = 0; client < 9_999; client++) rate.charge(`${client}`, 60, 0);

  assertEquals([passed(rate, "first", 1, 0), passed(rate, "9998", 10, 0)], [1, 9]);
});
