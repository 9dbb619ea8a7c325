/** A seeded source of choices: the same seed gives the same corpus, byte for byte. */
export interface Random {
  /** A number from 0 up to 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(list: ArrayLike<T>): T;
  shuffle<T>(list: readonly T[]): T[];
  /** `length` characters of an alphabet, base 62 unless told. */
  token(length: number, alphabet?: string): string;
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The generator mulberry32, which is small and good enough to vary test data. */
export function random(seed: number): Random {
  let state = seed | 0;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(list: ArrayLike<T>) => list[between(0, list.length - 1)]!;

  function shuffle<T>(list: readonly T[]): T[] {
    const cards = [...list];
    for (let i = cards.length - 1; i > 0; i--) {
      const j = between(0, i);
      [cards[i], cards[j]] = [cards[j]!, cards[i]!];
    }
    return cards;
  }

  const token = (length: number, alphabet = BASE62) => Array.from({ length }, () => pick(alphabet)).join("");
  return { next, between, chance: (probability) => next() < probability, pick, shuffle, token };
}
