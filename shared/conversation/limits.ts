/** What Meta takes of a message, in characters and pieces (Cloud API: interactive messages, text messages). */
export const LIMITS = {
  text: 4096,
  body: 1024,
  listBody: 4096,
  buttonTitle: 20,
  buttonId: 256,
  rowTitle: 24,
  rowDescription: 72,
  rowId: 200,
  rows: 10,
} as const;

/** As much of a text as has its place, with an ellipsis where it ends early. Characters are counted, not UTF-16 units. */
export function clip(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("").trimEnd()}…`;
}
