import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import {
  type Currency,
  decimalOf,
  formatMoney,
  isCurrency,
  isStorableAmount,
  MINOR_UNITS,
  parseMoney,
} from "shared/money.ts";

const currencies = fc.constantFrom(...Object.keys(MINOR_UNITS) as Currency[]);
const amounts = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

Deno.test("parseMoney() reads what decimalOf() writes, for every amount that a bigint holds", () => {
  fc.assert(fc.property(amounts, currencies, (minor, currency) => {
    assertEquals(parseMoney(decimalOf(minor, currency), currency), minor);
  }));
});

Deno.test("parseMoney() reads decimals exactly, where a float would not", () => {
  assertEquals(parseMoney("0.29", "USD"), 29n);
  assertEquals(parseMoney("90071992547409.93", "USD"), 9007199254740993n);
});

Deno.test("parseMoney() accepts zeros beyond the currency's decimals", () => {
  assertEquals(parseMoney("500.00", "RWF"), 500n);
  assertEquals(parseMoney("1.5000", "KES"), 150n);
});

for (const bad of ["", "1.", ".5", "1,000", "1e3", "0x10", "NaN", "1.005", "--1", "١٢"]) {
  Deno.test(`parseMoney() refuses ${JSON.stringify(bad)}`, () => {
    assertEquals(parseMoney(bad, "USD"), null);
  });
}

Deno.test("parseMoney() refuses what a bigint column cannot hold", () => {
  assertEquals(parseMoney("9223372036854775807", "RWF"), 9223372036854775807n);
  assertEquals(parseMoney("9223372036854775808", "RWF"), null);
  assertEquals(parseMoney("-9223372036854775808", "RWF"), -9223372036854775808n);
});

Deno.test("parseMoney() refuses a fraction of a franc", () => {
  assertEquals(parseMoney("0.5", "RWF"), null);
});

for (
  const [locale, francs, dollars] of [
    ["en", "RWF 5,000", "USD 12.50"],
    ["fr", "5 000 RWF", "12,50 USD"],
    ["rw", "RWF 5,000", "USD 12.50"],
    ["sw", "RWF 5,000", "USD 12.50"],
  ] as const
) {
  Deno.test(`formatMoney() writes amounts in ${locale}`, () => {
    const plain = (text: string) => text.replace(/\s/g, " ");

    assertEquals(plain(formatMoney(5000n, "RWF", locale)), francs);
    assertEquals(plain(formatMoney(1250n, "USD", locale)), dollars);
  });
}

Deno.test("formatMoney() loses no digit of a large amount", () => {
  const digits = formatMoney(9223372036854775807n, "USD", "en").replace(/\D/g, "");

  assertEquals(digits, "9223372036854775807");
});

Deno.test("isCurrency() knows the currencies that we serve and nothing inherited", () => {
  assert(isCurrency("RWF"));
  assertFalse(isCurrency("XXX"));
  assertFalse(isCurrency("toString"));
});

Deno.test("isStorableAmount() draws the line at bigint", () => {
  assert(isStorableAmount(2n ** 63n - 1n));
  assertFalse(isStorableAmount(2n ** 63n));
});
