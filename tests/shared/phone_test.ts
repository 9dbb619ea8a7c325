import { assertEquals } from "@std/assert";
import { maskPhone, toE164 } from "shared/phone.ts";

for (
  const written of [
    "0788 000 000",
    "0788000000",
    "788000000",
    "(0788) 000-000",
    "250788000000",
    "00250788000000",
    "+250 788 000 000",
    "０７８８０００000",
  ]
) {
  Deno.test(`toE164() reads ${written} as a Rwandan number`, () => {
    assertEquals(toE164(written), "+250788000000");
  });
}

Deno.test("toE164() reads a foreign number with its country code", () => {
  assertEquals(toE164("+256 772 000 000"), "+256772000000");
});

Deno.test("toE164() reads a national number of another region", () => {
  assertEquals(toE164("0772 000 000", "UG"), "+256772000000");
});

for (
  const bad of ["", "123", "0588 000 000", "078800000", "+25078800000000", "call 0788000000 now", "tel:+250788000000"]
) {
  Deno.test(`toE164() refuses ${JSON.stringify(bad)}`, () => {
    assertEquals(toE164(bad), null);
  });
}

Deno.test("maskPhone() shows the country and three digits", () => {
  assertEquals(maskPhone("+250788000123"), "+250 ••• 123");
  assertEquals(maskPhone("+14155550100"), "+1 ••• 100");
});

Deno.test("maskPhone() shows nothing of what is not a number", () => {
  assertEquals(maskPhone("secret"), "•••");
});
