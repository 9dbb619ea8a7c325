import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { pushContent } from "shared/notifications/push/push_content.ts";
import { deliveryTo } from "../deliveries.ts";

const NOTIFICATION = { notification_id: deliveryTo(null).notification_id };

Deno.test("pushContent() leaves what fits as it is, with the notification's id for the app", () => {
  assertEquals(pushContent(deliveryTo(null)), {
    title: "Paid",
    body: "You were paid 700 RWF",
    data: { screen: "wallet", ...NOTIFICATION },
  });
});

Deno.test("pushContent() leaves out a title that there is not, and data that are too long", () => {
  const content = pushContent(deliveryTo(null, { title: null, data: { route: "x".repeat(2_000) } }));

  assertEquals(content, { body: "You were paid 700 RWF", data: NOTIFICATION });
});

Deno.test("pushContent() cuts a long body", () => {
  const { body } = pushContent(deliveryTo(null, { body: "a".repeat(5_000) }));

  assertEquals(body, "a".repeat(1_395) + "…");
});

Deno.test("pushContent() always fits into what the smallest browser takes, without half a character", () => {
  const unit = fc.oneof(fc.constantFrom("a", "😀", "\n", '"', "\u0001", "ж"), fc.string({ unit: "grapheme" }));
  const text = fc.string({ unit, minLength: 1, maxLength: 4_000 });
  fc.assert(fc.property(fc.option(text), text, fc.dictionary(text, text, { maxKeys: 3 }), (title, body, data) => {
    const content = pushContent(deliveryTo(null, { title, body, data }));

    assert(new TextEncoder().encode(JSON.stringify(content)).length < 2_820 - 60);
    assert(content.body.isWellFormed());
  }));
});
