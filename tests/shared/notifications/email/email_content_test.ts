import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { emailContent } from "shared/notifications/email/email_content.ts";
import { deliveryTo } from "../deliveries.ts";

const content = (fields: Parameters<typeof deliveryTo>[1]) => emailContent(deliveryTo(null, fields));

Deno.test("emailContent() takes the title for the subject, and the first line where there is none", () => {
  assertEquals(content({ title: "Paid" }).subject, "Paid");
  assertEquals(content({ title: null, body: "\nYou were paid\n700 RWF" }).subject, "You were paid");
  assertEquals(content({ title: "x".repeat(200) }).subject, "x".repeat(149) + "…");
});

Deno.test("emailContent() keeps lines and paragraphs, and lets no text be markup", () => {
  const { text, html } = content({ title: "A & B", body: `1 < 2\r\n"yes"\n\n<script>'x'</script>`, locale: "rw" });

  assertEquals(text, `1 < 2\n"yes"\n\n<script>'x'</script>`);
  assertEquals(
    html,
    `<!doctype html><html lang="rw"><head><meta charset="utf-8"><title>A &amp; B</title></head><body>` +
      `<p>1 &lt; 2<br>&quot;yes&quot;</p><p>&lt;script&gt;&#39;x&#39;&lt;/script&gt;</p></body></html>`,
  );
});

Deno.test("emailContent() never lets a subject end, whatever is in the words", () => {
  const unit = fc.oneof(fc.constantFrom("\r", "\n", "\0", "\u2028", "\u0085", ":", " "), fc.string({ unit: "binary" }));
  fc.assert(fc.property(fc.option(fc.string({ unit })), fc.string({ unit, minLength: 1 }), (title, body) => {
    assert(!/[\p{Cc}\u2028\u2029]/u.test(content({ title, body }).subject));
  }));
});
