import { assertEquals } from "@std/assert";
import { murmur3 } from "../../../shared/flags/murmur3.ts";

/** Texts, seeds and hashes that other implementations give (SMHasher's algorithm over UTF-8, as in Guava and Go). */
const KNOWN: [text: string, seed: number, hash: number][] = [
  ["", 0, 0],
  ["", 1, 0x514e28b7],
  ["", 0xffffffff, 0x81f16f39],
  ["a", 0x9747b28c, 0x7fa09ea6],
  ["aa", 0x9747b28c, 0x5d211726],
  ["aaa", 0x9747b28c, 0x283e0130],
  ["aaaa", 0x9747b28c, 0x5a97808a],
  ["Hello, world!", 0x9747b28c, 0x24884cba],
  ["ππππππππ", 0x9747b28c, 0xd58063c1],
  ["Kigali-é", 0, 2901634517],
];

for (const [text, seed, hash] of KNOWN) {
  Deno.test(`murmur3() of "${text}" with seed ${seed}`, () => assertEquals(murmur3(text, seed), hash));
}
