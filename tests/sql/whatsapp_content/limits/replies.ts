import type { Limit } from "./limit.ts";
import { buttons, interactive, letters, list, rows, several } from "../payloads.ts";

/** Bodies and footers that every interactive type has, told of one that has both. */
const AROUND: Limit[] = [
  {
    what: "interactive: body, of all but lists",
    unit: "characters",
    highest: 1024,
    pointer: "/interactive/body/text",
    of: (n) => buttons(1, {}, { body: { text: letters(n) } }),
  },
  {
    what: "interactive: footer",
    unit: "characters",
    highest: 60,
    pointer: "/interactive/footer/text",
    of: (n) => buttons(1, {}, { footer: { text: letters(n) } }),
  },
  {
    what: "interactive: text of the header",
    unit: "characters",
    highest: 60,
    pointer: "/interactive/header/text",
    of: (n) => buttons(1, {}, { header: { type: "text", text: letters(n) } }),
  },
];

const REPLIES: Limit[] = [
  {
    what: "button: buttons",
    unit: "entries",
    highest: 3,
    pointer: "/interactive/action/buttons",
    of: (n) => buttons(n),
  },
  {
    what: "button: id",
    unit: "characters",
    highest: 256,
    pointer: "/interactive/action/buttons/0/reply/id",
    of: (n) => buttons(1, { id: letters(n) }),
  },
  {
    what: "button: title",
    unit: "characters",
    highest: 20,
    pointer: "/interactive/action/buttons/0/reply/title",
    of: (n) => buttons(1, { title: letters(n) }),
  },
  {
    what: "list: body",
    unit: "characters",
    highest: 4096,
    pointer: "/interactive/body/text",
    of: (n) => list([{ rows: rows(1) }], { body: { text: letters(n) } }),
  },
  {
    what: "list: button",
    unit: "characters",
    highest: 20,
    pointer: "/interactive/action/button",
    of: (n) => interactive("list", { button: letters(n), sections: [{ rows: rows(1) }] }),
  },
  {
    what: "list: sections",
    unit: "entries",
    highest: 10,
    pointer: "/interactive/action/sections",
    of: (n) => list(several(n, (index) => ({ title: `Part ${index}`, rows: rows(1, `${index}.`) }))),
  },
  {
    what: "list: rows",
    unit: "in all",
    highest: 10,
    pointer: "/interactive/action/sections",
    of: (n) => {
      const parts = n > 1 ? [rows(1, "a"), rows(n - 1, "b")] : [rows(n)];
      return list(parts.map((rows, index) => ({ title: `Part ${index}`, rows })));
    },
  },
  {
    what: "list: title of a section",
    unit: "characters",
    highest: 24,
    pointer: "/interactive/action/sections/0/title",
    of: (n) => list([{ title: letters(n), rows: rows(1) }]),
  },
  {
    what: "list: id of a row",
    unit: "characters",
    highest: 200,
    pointer: "/interactive/action/sections/0/rows/0/id",
    of: (n) => list([{ rows: rows(1, "", { id: letters(n) }) }]),
  },
  {
    what: "list: title of a row",
    unit: "characters",
    highest: 24,
    pointer: "/interactive/action/sections/0/rows/0/title",
    of: (n) => list([{ rows: rows(1, "", { title: letters(n) }) }]),
  },
  {
    what: "list: description of a row",
    unit: "characters",
    highest: 72,
    pointer: "/interactive/action/sections/0/rows/0/description",
    of: (n) => list([{ rows: rows(1, "", { description: letters(n) }) }]),
  },
];

/** Limits of what stands around every action, of reply buttons and of lists. */
export const REPLY_LIMITS: Limit[] = [...AROUND, ...REPLIES];
