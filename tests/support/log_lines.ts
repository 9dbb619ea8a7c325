/** What this test file has logged since the last call of `clear`, instead of printing it. */
export interface LogLines {
  /** As written. */
  raw: string[];
  /** The only line; fails when there is none or more than one. */
  only(): Record<string, unknown>;
  clear(): void;
}

/** Collects the log lines of this test file. */
export function captureLog(): LogLines {
  const raw: string[] = [];
  for (const level of ["log", "warn", "error"] as const) console[level] = (line: string) => void raw.push(line);
  return {
    raw,
    only() {
      if (raw.length !== 1) throw new Error(`expected one log line, found ${raw.length}: ${raw.join("\n")}`);
      return JSON.parse(raw[0]!);
    },
    clear() {
      raw.length = 0;
    },
  };
}
