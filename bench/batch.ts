import type { Sql } from "postgres";
import { withConnection } from "../scripts/stack/database.ts";
import type { Measurement } from "./measurement.ts";
import { delivery } from "./support/deliveries.ts";
import { ingest, introducePeople } from "./support/ingest.ts";
import { cpuOf } from "./support/machine.ts";
import { interleave } from "./support/rounds.ts";
import { dataFolder, deliver, type Stack, startStack } from "./support/stack.ts";
import { median } from "./support/statistics.ts";
import { figure } from "./support/table.ts";

const PEOPLE = 10_000;
const ROUNDS = 5;
/** Nobody has these numbers until a delivery brings them. */
let nextStranger = 1_000_000;

/** What is delivered, and how often per round. */
const DELIVERIES: Record<string, { items: number; count: number; body: () => Uint8Array<ArrayBuffer> }> = {
  "1 message": { items: 1, count: 40, body: () => delivery({ people: PEOPLE }) },
  "10 messages": { items: 10, count: 20, body: () => delivery({ items: 10, people: PEOPLE }) },
  "100 messages": { items: 100, count: 8, body: () => delivery({ items: 100, people: PEOPLE }) },
  "1,000 messages": { items: 1_000, count: 2, body: () => delivery({ items: 1_000, people: PEOPLE }) },
  "1,000 statuses": {
    items: 1_000,
    count: 2,
    body: () => delivery({ items: 1_000, people: PEOPLE, kind: "statuses" }),
  },
  "1,000 messages of strangers": {
    items: 1_000,
    count: 1,
    body: () => delivery({ items: 1_000, people: 1_000, firstPerson: nextStranger += 1_000 }),
  },
};

/** What one item costs, the more of them come together. */
export const batch: Measurement = {
  about: `One delivery of 1 to 1,000 items, while ${PEOPLE.toLocaleString("en")} people are known.`,
  async run() {
    await using data = dataFolder();
    await using stack = await startStack(data.path);
    return await withConnection(stack.databaseUrl, async (sql) => {
      await introducePeople(sql, PEOPLE);
      const rows: string[][] = [];
      for (const name of Object.keys(DELIVERIES)) rows.push(await row(name, sql, stack));
      return [{
        title: "Time per delivery",
        columns: ["delivery", "SQL CPU, ms", "SQL, ms", "per item", "HTTP, ms", "per item"],
        rows,
        notes: [
          `Medians over ${ROUNDS} interleaved rounds, one delivery at a time. SQL is ingest_whatsapp_delivery() alone, HTTP the whole local stack; CPU is that of the Postgres backend, which neighbours change least.`,
          "Target: 1,000 items under 400 ms, and a falling price per item.",
        ],
      }];
    });
  },
};

async function row(name: string, sql: Sql, stack: Stack): Promise<string[]> {
  const { items, count, body } = DELIVERIES[name]!;
  const [backend] = await sql`select pg_backend_pid() as pid`;
  const cpu: number[] = [];
  const rivals = {
    sql: async () => {
      const before = cpuOf(backend!.pid);
      const times = await repeat(count, () => ingest(sql, body()));
      cpu.push((cpuOf(backend!.pid) - before) / count);
      return times;
    },
    http: () => repeat(count, () => timeHttp(stack.webhookUrl, body())),
  };
  await interleave(1, rivals);
  const found = await interleave(ROUNDS, rivals);
  const [inSql, overHttp] = [median(found.sql!.flat()), median(found.http!.flat())];
  return [name, ...[median(cpu), inSql, inSql / items, overHttp, overHttp / items].map(figure)];
}

async function repeat(count: number, measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await measure());
  return times;
}

async function timeHttp(webhookUrl: string, body: Uint8Array<ArrayBuffer>): Promise<number> {
  const startedAt = performance.now();
  const status = await deliver(webhookUrl, body);
  if (status !== 200) throw new Error(`a delivery was answered with ${status}`);
  return performance.now() - startedAt;
}
