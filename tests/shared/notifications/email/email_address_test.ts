import { assertEquals } from "@std/assert";
import { isMailbox } from "shared/notifications/email/email_address.ts";

for (const address of ["jean@example.com", "jean.o'neil+trips@mail.example.rw", "jöran@exämple.com"]) {
  Deno.test(`isMailbox() knows ${address}`, () => assertEquals(isMailbox(address), true));
}

for (
  const text of [
    "",
    "jean",
    "jean@",
    "@example.com",
    "jean@example.com, other@example.com",
    "Jean <jean@example.com>",
    "jean@example.com\r\nBcc: other@example.com",
    "jean@example.com\0",
    "jean@a@b.com",
    '"jean"@example.com',
    "jean@example.com;other@example.com",
    `${"x".repeat(65)}@example.com`,
  ]
) {
  Deno.test(`isMailbox() refuses ${JSON.stringify(text)}`, () => assertEquals(isMailbox(text), false));
}
