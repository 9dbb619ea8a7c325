import { assertEquals } from "@std/assert";
import { decimalOf } from "../../../shared/flags/decimal.ts";
import { instantOf } from "../../../shared/flags/instant.ts";
import { ipAddressOf, ipRangeOf, isInRange } from "../../../shared/flags/ip_range.ts";
import { semverOrder } from "../../../shared/flags/semver_order.ts";

/** Semantic Versioning 2.0.0, 11, and numbers beyond a double's. */
const ASCENDING = [
  "0.0.9",
  "0.0.10",
  "1.0.0-1",
  "1.0.0-2",
  "1.0.0-10",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-alpha-b",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.9.0",
  "1.10.0",
  "9007199254740993.0.0",
  "9007199254740994.0.0",
];

Deno.test("semverOrder() sorts versions by precedence", () => {
  const shuffled = [...ASCENDING].sort((one, other) => other.length - one.length);

  const sorted = shuffled.sort((one, other) => semverOrder(one)! < semverOrder(other)! ? -1 : 1);

  assertEquals(sorted, ASCENDING);
});

Deno.test("semverOrder() ignores build metadata", () => {
  assertEquals(semverOrder("1.0.0+2026.11"), semverOrder("1.0.0"));
});

Deno.test("what is no version, number, time or address is nothing", () => {
  const versions = [
    "",
    "1",
    "1.2",
    "v1.2.3",
    "01.2.3",
    "1.2.3-01",
    "1.2.3-",
    "1.2.3+",
    "1.2.3 ",
    `1.2.${"3".repeat(256)}`,
  ];
  const numbers = ["", " ", "1 ", "0x10", "Infinity", "NaN", "1e", "1e100", "--1", ".", "1_000"];
  const times = [
    "",
    "now",
    "2026",
    "2026-02-29",
    "2026-13-01",
    "2026-11-23T25:00:00Z",
    "2026-11-23T10:00:00",
    "0000-01-01",
    "2026-11-23 10:00:00Z",
  ];
  const addresses = [
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "::1::",
    "1:2:3:4:5:6:7",
    "12345::",
    "1.2.3.4::",
    "::1%eth0",
    "g::",
  ];

  assertEquals(versions.filter((text) => semverOrder(text) !== undefined), []);
  assertEquals(numbers.filter((text) => decimalOf(text) !== undefined), []);
  assertEquals(times.filter((text) => instantOf(text) !== undefined), []);
  assertEquals(addresses.filter((text) => ipAddressOf(text) !== undefined), []);
});

Deno.test("isInRange() compares the first bits only, within one family", () => {
  const isIn = (address: string, range: string) => isInRange(ipAddressOf(address)!, ipRangeOf(range)!);

  assertEquals([isIn("10.1.2.127", "10.1.2.3/25"), isIn("10.1.2.128", "10.1.2.3/25")], [true, false]);
  assertEquals([isIn("2001:db8::ffff", "2001:db8::/112"), isIn("2001:db8::1:0", "2001:db8::/112")], [true, false]);
  assertEquals([isIn("::ffff:10.0.0.1", "10.0.0.0/8"), isIn("8.8.8.8", "0.0.0.0/0"), isIn("8.8.8.8", "::/0")], [
    false,
    true,
    false,
  ]);
});
