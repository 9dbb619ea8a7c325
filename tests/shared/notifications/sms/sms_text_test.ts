import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { sizeOf, smsText } from "shared/notifications/sms/sms_text.ts";

const body = (text: string) => smsText({ title: null, body: text });

Deno.test("smsText() puts the title on a line of its own", () => {
  assertEquals(smsText({ title: "Paid", body: "700 RWF" }), "Paid\n700 RWF");
  assertEquals(smsText({ title: null, body: "700 RWF" }), "700 RWF");
});

for (
  const [name, text, encoding, segments] of [
    ["160 letters", "a".repeat(160), "gsm7", 1],
    ["161 letters", "a".repeat(161), "gsm7", 2],
    ["306 letters", "a".repeat(306), "gsm7", 2],
    ["307 letters", "a".repeat(307), "gsm7", 3],
    ["80 euro signs, two septets each", "€".repeat(80), "gsm7", 1],
    ["81 euro signs", "€".repeat(81), "gsm7", 2],
    ["153 euro signs, one of which fits into no part's last septet", "€".repeat(153), "gsm7", 3],
    ["French that the alphabet has", "à é è ù Ç", "gsm7", 1],
    ["French that it has not", "ça", "ucs2", 1],
    ["70 letters of another script", "ж".repeat(70), "ucs2", 1],
    ["71 letters of another script", "ж".repeat(71), "ucs2", 2],
    ["35 emoji, two units each", "😀".repeat(35), "ucs2", 1],
    ["67 emoji, which are not divided between parts", "😀".repeat(67), "ucs2", 3],
  ] as const
) {
  Deno.test(`sizeOf() counts ${name}`, () => {
    assertEquals(sizeOf(text), { encoding, segments });
  });
}

Deno.test("smsText() writes typography plainly, which would halve the room", () => {
  const text = body("«Murakoze» – it’s “paid”…\u00a0");

  assertEquals([text, sizeOf(text).encoding], ['"Murakoze" - it\'s "paid"...', "gsm7"]);
});

Deno.test("smsText() cuts what is longer than four segments between words", () => {
  const text = body("amafaranga ".repeat(100));

  assertEquals(text, "amafaranga ".repeat(55).trim() + "...");
  assertEquals(sizeOf(text).segments, 4);
});

Deno.test("smsText() leaves what fits as it is", () => {
  const text = "amafaranga ".repeat(55).trim();

  assertEquals(body(text), text);
});

const Text = fc.string({
  unit: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(..."amafaranga \n") },
    fc.constantFrom("€", "[", "ç", "😀", "’", "…", "ж", "👩‍🚀"),
  ),
  maxLength: 1_500,
});

Deno.test("smsText() never costs more than four segments nor divides a character", () => {
  fc.assert(fc.property(Text, fc.option(Text), (text, title) => {
    const sms = smsText({ title, body: text });

    assert(sizeOf(sms).segments <= 4);
    assert(sms.isWellFormed());
  }));
});
