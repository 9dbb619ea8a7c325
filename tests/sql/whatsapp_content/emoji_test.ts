import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();

async function emojiAmong(sql: TransactionSql, texts: string[]): Promise<string[]> {
  const rows = await sql<
    { text: string }[]
  >`select text from unnest(${texts}::text[]) as text where private.is_emoji(text)`;
  return rows.map(({ text }) => text);
}

/** Every code point but NUL and surrogates, as text. */
function characters(): string[] {
  const points = Array.from({ length: 0x10ffff }, (_, index) => index + 1);
  return points.filter((point) => point < 0xd800 || point > 0xdfff).map((point) => String.fromCodePoint(point));
}

const SKINS = ["🏻", "🏼", "🏽", "🏾", "🏿"];

for (
  const [name, text] of Object.entries({
    "a face": "😀",
    "a heart as text and as picture": "❤️",
    "a hand of every colour": "👍🏾",
    "a flag": "🇷🇼",
    "a flag of a part of a country": "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "a keycap": "5️⃣",
    "a family": "👨‍👩‍👧‍👦",
    "two people of two colours": "👩🏾‍❤️‍💋‍👨🏻",
    "a rainbow flag": "🏳️‍🌈",
  })
) {
  Deno.test(
    `is_emoji() knows ${name}`,
    rolledBack(database, async (sql) => assertEquals(await emojiAmong(sql, [text]), [text])),
  );
}

for (
  const text of ["", " ", "a", "5", "é", "👍👍", "👍 ", "ok👍", "🇷🇼🇷🇼", "🇷", "\u200d", "👍\u200d", "←", "😀".repeat(36)]
) {
  Deno.test(
    `is_emoji() takes ${JSON.stringify(text)} for none`,
    rolledBack(database, async (sql) => assertEquals(await emojiAmong(sql, [text]), [])),
  );
}

Deno.test(
  "is_emoji() takes the single characters for emoji that Unicode does",
  rolledBack(database, async (sql) => {
    const expected = characters().filter((text) => /^\p{Extended_Pictographic}$/u.test(text) || SKINS.includes(text));

    assertEquals(new Set(await emojiAmong(sql, characters())), new Set(expected));
  }),
);
