import { withConnection } from "../scripts/stack/database.ts";
import { SUPERUSER, urlOf } from "../scripts/stack/connection.ts";
import type { Measurement } from "./measurement.ts";
import { CLOSED_LOOP_COLUMNS, closedLoopRows, failures, loadInTurn, type Round } from "./support/http_rounds.ts";
import { introducePeople } from "./support/ingest.ts";
import { startServer } from "./support/processes.ts";
import { dataFolder, type Stack, startStack } from "./support/stack.ts";
import { percentile, shareAbove } from "./support/statistics.ts";
import { figure } from "./support/table.ts";

const OURS = "ours";
const FLOOR = "one plain INSERT";
const LITE = "ours on lite's rpc";

/** Deliveries through the whole local stack. */
export const webhookHttp: Measurement = {
  about: "Signed deliveries of one message each through the local stack, from a client in another process.",
  async run() {
    await using data = dataFolder();
    await using stack = await startStack(data.path);
    await using floor = await startServer("bench/peers/plain_insert.ts", stack.databaseUrl);
    await using lite = await startServer("bench/peers/lite_stack.ts", String(stack.databasePort));
    const both = { [OURS]: { url: stack.webhookUrl, pid: stack.pid }, [FLOOR]: floor };
    const all = { ...both, [LITE]: { url: `${lite.url}/functions/v1/whatsapp-webhook`, pid: lite.pid } };
    await withConnection(stack.databaseUrl, (sql) => introducePeople(sql, 1_000));
    await loadInTurn(stack.databaseUrl, all, { rounds: 1, seconds: 5, connections: 10 });
    const closed = await loadInTurn(stack.databaseUrl, all, { rounds: 5, seconds: 8, connections: 10 });
    const open = await loadInTurn(stack.databaseUrl, both, { rounds: 2, seconds: 30, rate: 100 });
    return [
      {
        title: "As fast as it goes: 10 connections, each sends when it is answered",
        columns: ["target", ...CLOSED_LOOP_COLUMNS],
        rows: closedLoopRows(closed, FLOOR),
        notes: [
          "Medians of 5 interleaved rounds of 8 s. CPU per delivery; the server's is that of its Deno process.",
          "The floor verifies the signature and inserts the raw body: it keeps no message, knows no duplicate, resolves no person.",
        ],
      },
      {
        title: "At 100 a second, whatever the answers take (Poisson)",
        columns: ["target", "deliveries", "p50, ms", "p90, ms", "p99, ms", "max, ms", "above 1 s", "failed"],
        rows: Object.entries(open).map(openLoopRow),
        notes: [
          "Two interleaved rounds of 30 s, each delivery timed from the moment it was due. Meta's budget: median 250 ms, under 1 % above 1 s.",
          await durability(stack),
        ],
      },
    ];
  },
};

function openLoopRow([name, rounds]: [string, Round[]]): string[] {
  const latencies = rounds.flatMap((round) => round.latencies);
  return [
    name,
    String(latencies.length),
    ...[0.5, 0.9, 0.99, 1].map((share) => figure(percentile(latencies, share))),
    `${figure(100 * shareAbove(latencies, 1_000))} %`,
    failures(rounds),
  ];
}

/** Read from the server: a figure is worth nothing if somebody has switched these off. */
function durability({ databasePort }: Stack): Promise<string> {
  return withConnection(urlOf(databasePort, "postgres", SUPERUSER), async (sql) => {
    const [row] = await sql`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`;
    return `fsync ${row!.fsync}, synchronous_commit ${row!.commit}.`;
  });
}
