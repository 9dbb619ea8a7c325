import { assertEquals } from "@std/assert";
import { attempt, gist } from "../attempts.ts";
import { momoWith } from "./momo.ts";

function tokenRequests(requests: readonly string[]): number {
  return requests.filter((request) => request.endsWith("/token/")).length;
}

Deno.test("the token is fetched once for callers at the same moment, and kept", async () => {
  await using momo = momoWith();

  await Promise.all(Array.from({ length: 10 }, () => momo.provider.charge(attempt())));
  await momo.provider.charge(attempt());

  assertEquals(tokenRequests(momo.fake.requests), 1);
  assertEquals(momo.fake.books.entries.size, 11);
});

Deno.test("each product has a token of its own", async () => {
  await using momo = momoWith();

  await momo.provider.charge(attempt());
  await momo.provider.payout(attempt({ kind: "payout" }));

  assertEquals(momo.fake.requests.filter((request) => request.endsWith("/token/")), [
    "POST /collection/token/",
    "POST /disbursement/token/",
  ]);
});

Deno.test("a token that MTN takes no more is replaced once, by all who were refused", async () => {
  await using momo = momoWith();
  await momo.provider.charge(attempt());
  momo.fake.revokeTokens();

  const answers = await Promise.all(Array.from({ length: 5 }, () => momo.provider.charge(attempt())));

  assertEquals(answers.map(gist), Array(5).fill("processing"));
  assertEquals([tokenRequests(momo.fake.requests), momo.fake.books.entries.size], [2, 6]);
});

Deno.test("a token that is about to end is not used", async () => {
  await using momo = momoWith({ tokenLife: 60 });

  await momo.provider.charge(attempt());
  await momo.provider.charge(attempt());

  assertEquals(tokenRequests(momo.fake.requests), 2);
});

Deno.test("without a token nothing is sent, and the next caller asks for one again", async () => {
  await using momo = momoWith({}, { MTN_MOMO_COLLECTION_API_KEY: "wrong" });

  const answers = [await momo.provider.charge(attempt()), await momo.provider.check(attempt())];

  assertEquals(answers.map(gist), ["not_sent not_authorized", "not_sent not_authorized"]);
  assertEquals(momo.fake.requests, Array(2).fill("POST /collection/token/"));
});
