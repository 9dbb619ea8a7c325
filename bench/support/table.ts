/** What a measurement found. */
export interface Table {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** What one must know to read the figures. */
  notes?: readonly string[];
}

/** A table as Markdown. */
export function toMarkdown({ title, columns, rows, notes = [] }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = line(columns.map((_, index) => index === 0 ? "---" : "---:"));
  return [`**${title}**`, "", line(columns), rule, ...rows.map(line), "", ...notes.map((note) => `- ${note}`)].join(
    "\n",
  );
}

/** A quantity with three significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** How many times as much as the peer's. */
export function ratio(value: number, peer: number): string {
  return `${(value / peer).toFixed(2)}x`;
}
