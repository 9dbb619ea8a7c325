/** Something the user can mend; shown as one line, without a stack trace. */
export class StackError extends Error {
  override name = "StackError";
}

/** The last line that a command printed, which says what was wrong. */
export function lastLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim().split("\n").at(-1) ?? "";
}
