import { input, report } from "../support/processes.ts";
import type { RedisLoad } from "../support/redis.ts";

const { port, seconds, connections, keys } = input<RedisLoad>();
const encoder = new TextEncoder();
const latencies: number[] = [];

/** Waits for a server that has just been started. */
async function connect(): Promise<Deno.TcpConn> {
  for (let attempts = 1;; attempts++) {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connection.setNoDelay();
      return connection;
    } catch (error) {
      if (attempts === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** One command and its answer, which fits one segment (RESP). */
async function ask(connection: Deno.TcpConn, answer: Uint8Array, ...words: string[]): Promise<void> {
  const command = `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  await connection.write(encoder.encode(command));
  await connection.read(answer);
  if (answer[0] === 0x2d) throw new Error("Redis refused");
}

const opened = await Promise.all(Array.from({ length: connections }, connect));
const buffer = new Uint8Array(4_096);
for (let key = 0; key < keys; key++) {
  await ask(opened[0]!, buffer, "SET", `bench:${key}`, JSON.stringify({ amount: key, currency: "RWF" }));
}
const startedAt = performance.now();
await Promise.all(opened.map(async (connection) => {
  const answer = new Uint8Array(4_096);
  for (let now = performance.now(); now < startedAt + seconds * 1_000;) {
    await ask(connection, answer, "GET", `bench:${Math.floor(Math.random() * keys)}`);
    const later = performance.now();
    latencies.push(later - now);
    now = later;
  }
}));
report({ latencies, seconds: (performance.now() - startedAt) / 1_000 });
opened.forEach((connection) => connection.close());
