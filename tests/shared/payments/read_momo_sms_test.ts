import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import fc from "fast-check";
import { readMomoSms } from "shared/payments/momo_sms/read_momo_sms.ts";
import { MOMO_TEXTS, NOISE_TEXTS } from "./momo_texts.ts";

const RECEIVED = MOMO_TEXTS["money from a person whose number is masked"]!.text;

for (const [name, { text, says }] of Object.entries(MOMO_TEXTS)) {
  Deno.test(`readMomoSms() reads ${name}`, () => {
    assertObjectMatch(readMomoSms(text), { kind: "receipt", receipt: says });
  });
}

for (const [name, { text, reason }] of Object.entries(NOISE_TEXTS)) {
  Deno.test(`readMomoSms() takes ${name} for noise`, () => {
    assertEquals(readMomoSms(text), { kind: "noise", reason } as ReturnType<typeof readMomoSms>);
  });
}

Deno.test("readMomoSms() has a message for every template to be tried with", () => {
  const told = new Set(Object.values(MOMO_TEXTS).map(({ says }) => says.template));

  assertEquals(told.size, 11);
});

Deno.test("readMomoSms() keeps no token of a service", () => {
  const power = MOMO_TEXTS["electricity, whose token is worth money"]!.text;

  assert(!JSON.stringify(readMomoSms(power)).includes("5517"));
});

Deno.test("readMomoSms() reads a message whose spaces and lines a phone has changed", () => {
  const changed = RECEIVED.replaceAll(" ", "\u00a0\n").replace("balance:", "balance :  ");

  assertEquals(readMomoSms(changed), readMomoSms(RECEIVED));
});

Deno.test("readMomoSms() believes MTN's balance and id, not those that a payer writes into the message", () => {
  const forged = RECEIVED.replace(
    "EM7K2Q9XTA",
    "hi. Your new balance:999999 RWF. Financial Transaction Id: 11111111111. Your new balance:1 RWF",
  );

  assertObjectMatch(readMomoSms(forged), { receipt: { balance: 12000, provider_id: "76662021700", amount: 2000 } });
});

for (
  const [name, text] of Object.entries({
    "cut off": RECEIVED.slice(0, -20),
    "with something before it": `Fwd: ${RECEIVED}`,
    "with something after it": `${RECEIVED} You have received 9 RWF`,
    "with a fraction of a franc": RECEIVED.replace("2000 RWF", "20.50 RWF"),
    "with commas in strange places": RECEIVED.replace("2000 RWF", "20,00 RWF"),
    "with nothing received": RECEIVED.replace("2000 RWF", "0 RWF"),
    "with more than any amount": RECEIVED.replace("2000 RWF", "99999999999999999 RWF"),
    "of another currency": RECEIVED.replace("2000 RWF", "2000 UGX"),
    "of a day that is none": RECEIVED.replace("2026-05-10", "2026-02-30"),
    "of an hour that is none": RECEIVED.replace("16:30:51", "24:00:00"),
    "with a number that is hidden otherwise": RECEIVED.replace("*********001", "********1"),
  })
) {
  Deno.test(`readMomoSms() takes a receipt ${name} for none`, () => {
    assertEquals(readMomoSms(text).kind, "unreadable");
  });
}

Deno.test("readMomoSms() tells the shape of what it cannot read, and nothing of its contents", () => {
  const unread = readMomoSms("Wowe Aline Uwase 250788000001 have received 2,000 RWF ref 4711");

  assertEquals(unread, { kind: "unreadable", shape: "x x x 000000000000 have received 0,000 RWF x 0000" });
});

const words = fc.constantFrom(
  ...Object.values({ ...MOMO_TEXTS, ...NOISE_TEXTS }).flatMap(({ text }) => text.split(" ")),
);
const mixtures = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.array(words, { maxLength: 60 }).map((parts) => parts.join(" ")),
  fc.tuple(fc.constantFrom(...Object.values(MOMO_TEXTS)), fc.nat(400), fc.string({ unit: "binary", maxLength: 20 }))
    .map(([{ text }, at, insertion]) => text.slice(0, at) + insertion + text.slice(at)),
);

Deno.test("readMomoSms() never throws, and never tells an amount, a balance or a fee that does not stand in the text", () => {
  fc.assert(
    fc.property(mixtures, (text) => {
      const read = readMomoSms(text);
      if (read.kind !== "receipt") return;
      const numbers = new Set(text.match(/\d[\d,]*/g)?.map((each) => Number(each.replaceAll(",", ""))));
      const { amount, balance, fee } = read.receipt;
      assert(amount > 0);
      for (const told of [amount, balance, fee]) assert(told === null || numbers.has(told), `${told}`);
    }),
    { numRuns: 2_000 },
  );
});

const francs = fc.integer({ min: 1, max: 50_000_000 });
const names = fc.stringMatching(/^[A-Za-z]{1,20}( [A-Za-z-]{1,20}){0,3}$/);

Deno.test("readMomoSms() reads every amount back, with commas and without, whatever the payer writes", () => {
  fc.assert(
    fc.property(
      francs,
      francs,
      names,
      fc.string({ unit: "binary", maxLength: 100 }),
      (amount, balance, name, message) => {
        const text =
          `You have received ${
            amount.toLocaleString("en")
          } RWF from ${name} (*********007) on your mobile money account ` +
          `at 2026-05-10 16:30:51. Message from sender: ${message}. Your new balance:${balance} RWF. Financial Transaction Id: 76662021700.`;

        const read = readMomoSms(text);

        assertObjectMatch(read, {
          kind: "receipt",
          receipt: { template: "received", amount, balance, name, payer_suffix: "007" },
        });
      },
    ),
  );
});
