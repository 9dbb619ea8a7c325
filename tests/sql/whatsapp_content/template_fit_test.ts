import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { body, fitProblems, learnNumber, list, listed } from "./listings.ts";
import { filler, templateButton } from "./payloads.ts";

const database = await createTestDatabase();

const NAMED = [{ type: "BODY", text: "Muraho {{rider}}, wishyuye {{fare}}. {{rider}}!" }];
const IMAGE = [{ type: "HEADER", format: "IMAGE" }, { type: "BODY", text: "Muraho" }];
const TITLE = [{ type: "HEADER", format: "TEXT", text: "Urugendo {{1}}" }, { type: "BODY", text: "Muraho" }];
const BUTTONS = [{ type: "BODY", text: "Muraho" }, {
  type: "BUTTONS",
  buttons: [
    { type: "QUICK_REPLY", text: "Yego" },
    { type: "URL", text: "Reba", url: "https://easymo.example/t/{{1}}" },
    { type: "URL", text: "Urubuga", url: "https://easymo.example" },
    { type: "COPY_CODE", example: "MOTO25" },
  ],
}];
const LINK = { ...templateButton("url", filler("1042")), index: "1" };
const CODE = { ...templateButton("copy_code", { type: "coupon_code", coupon_code: "MOTO25" }), index: 3 };

function named(...names: string[]): Record<string, unknown> {
  return { type: "body", parameters: names.map((parameter_name) => ({ ...filler("x"), parameter_name })) };
}

function header(type: string): Record<string, unknown> {
  return { type: "header", parameters: [type === "text" ? filler("1") : { type, [type]: { id: "1" } }] };
}

/** What a template is, what is filled in, and where that does not fit. */
const FITS: Record<string, [definition: unknown[] | undefined, given: unknown[], ...pointers: string[]]> = {
  "all placeholders of a body": [undefined, [body("Aline", "RWF 700")]],
  "a placeholder too few": [undefined, [body("Aline")], "/template/components/0/parameters"],
  "a placeholder too many": [undefined, [body("Aline", "RWF 700", "x")], "/template/components/0/parameters"],
  "no placeholder": [undefined, [], "/template/components"],
  "names, in any order": [NAMED, [named("fare", "rider")]],
  "another name": [NAMED, [named("rider", "price")], "/template/components/0/parameters"],
  "no names where names are needed": [NAMED, [body("x", "y")], "/template/components/0/parameters"],
  "an image": [IMAGE, [header("image")]],
  "a video for an image": [IMAGE, [header("video")], "/template/components/0/parameters"],
  "no image": [IMAGE, [], "/template/components"],
  "a title": [TITLE, [header("text")]],
  "no title": [TITLE, [], "/template/components"],
  "a title where there is none": [
    [{ type: "BODY", text: "Muraho" }],
    [header("text")],
    "/template/components/0/parameters",
  ],
  "every button that takes something": [BUTTONS, [LINK, CODE]],
  "a link that is not filled in": [BUTTONS, [CODE], "/template/components"],
  "a link and a code that are not filled in": [BUTTONS, [], "/template/components", "/template/components"],
  "anything, for a header that nobody has described": [
    [{ type: "HEADER", format: "HOLOGRAM" }, { type: "BODY", text: "Muraho" }],
    [header("video")],
  ],
  "anything, for a body that is not told": [[{ type: "BODY" }], [body("x", "y", "z")]],
};

for (const [name, [components, given, ...pointers]] of Object.entries(FITS)) {
  Deno.test(
    `${pointers.length > 0 ? "does not fit its template" : "fits its template"}: ${name}`,
    rolledBack(database, async (sql) => {
      await learnNumber(sql);
      await list(sql, [listed(components && { components })]);

      assertEquals((await fitProblems(sql, ...given)).map(({ pointer }) => pointer), pointers);
    }),
  );
}

Deno.test(
  "of a template that was never listed, anything fits",
  rolledBack(database, async (sql) => {
    await learnNumber(sql);

    assertEquals(await fitProblems(sql, body("x")), []);
  }),
);

Deno.test(
  "a listing of nonsense never makes a message raise",
  rolledBack(database, async (sql) => {
    await learnNumber(sql);
    for (
      const components of [7, {}, [], [7], [{}], [{ type: 1 }], [{ type: "BODY", text: {} }], [{ type: "BUTTONS" }]]
    ) {
      await list(sql, [listed({ components })]);

      assertEquals(Array.isArray(await fitProblems(sql, body("x"))), true, JSON.stringify(components));
    }
  }),
);
