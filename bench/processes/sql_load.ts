import postgres from "postgres";
import { input, report } from "../support/processes.ts";

/** Statements over connections that each send the next when they have an answer. */
export interface SqlLoad {
  url: string;
  seconds: number;
  connections: number;
  text: string;
  /** `$1` is one of so many keys; without it there is no argument. */
  keys?: number;
}

/** What came back. */
export interface SqlAnswers {
  /** Milliseconds each. */
  latencies: number[];
  seconds: number;
}

const { url, seconds, connections, text, keys } = input<SqlLoad>();
const sql = postgres(url, { max: connections, onnotice: () => {} });
const reserved = await Promise.all(Array.from({ length: connections }, () => sql.reserve()));
const latencies: number[] = [];
const startedAt = performance.now();
await Promise.all(reserved.map(async (connection) => {
  for (let now = performance.now(); now < startedAt + seconds * 1_000;) {
    const parameters = keys ? [`bench:${Math.floor(Math.random() * keys)}`] : [];
    await connection.unsafe(text, parameters, { prepare: true });
    const later = performance.now();
    latencies.push(later - now);
    now = later;
  }
}));
report({ latencies, seconds: (performance.now() - startedAt) / 1_000 });
reserved.forEach((connection) => connection.release());
await sql.end();
