import { withConnection } from "../scripts/stack/database.ts";
import { SUPERUSER, urlOf } from "../scripts/stack/postgres.ts";
import type { Measurement } from "./measurement.ts";
import type { HttpAnswers, HttpLoad } from "./processes/http_load.ts";
import { delivery } from "./support/deliveries.ts";
import { cpuOf } from "./support/machine.ts";
import { run, startServer } from "./support/processes.ts";
import { interleave } from "./support/rounds.ts";
import { dataFolder, deliver, type Stack, startStack } from "./support/stack.ts";
import { median, percentile, shareAbove } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

/** One round of one target, with the CPU that it took. */
interface Round extends HttpAnswers {
  serverMs: number;
}

const PEOPLE = 1_000;

/** Deliveries through the whole local stack. */
export const webhookHttp: Measurement = {
  about: "Signed deliveries of one message each through the local stack, from a client in another process.",
  async run() {
    await using data = dataFolder();
    await using stack = await startStack(data.path);
    await using floor = await startServer("bench/peers/plain_insert.ts", stack.databaseUrl);
    await using lite = await startServer("bench/peers/lite_stack.ts", String(stack.databasePort));
    const targets = {
      "ours": { url: stack.webhookUrl, pid: stack.pid },
      "one plain INSERT": { url: floor.url, pid: floor.pid },
      "ours on lite's rpc": { url: `${lite.url}/functions/v1/whatsapp-webhook`, pid: lite.pid },
    };
    await introducePeople(stack);
    await measure(targets, 1, { seconds: 5 });
    const closed = await measure(targets, 5, { seconds: 8, connections: 10 });
    const { "ours on lite's rpc": _, ...both } = targets;
    const open = await measure(both, 2, { seconds: 30, rate: 100 });
    return [closedTable(closed), openTable(open, await durability(stack))];
  },
};

type Targets = Record<string, { url: string; pid: number }>;

function measure(targets: Targets, rounds: number, load: Omit<HttpLoad, "url">): Promise<Record<string, Round[]>> {
  const rivals = Object.entries(targets).map(([name, { url, pid }]) => [name, async () => {
    const before = cpuOf(pid);
    const answers = await run<HttpAnswers>("bench/processes/http_load.ts", { ...load, url });
    return { ...answers, serverMs: (cpuOf(pid) - before) / answers.latencies.length };
  }]);
  return interleave(rounds, Object.fromEntries(rivals));
}

function closedTable(results: Record<string, Round[]>): Table {
  const perSecond = (rounds: Round[]) => median(rounds.map(({ latencies, seconds }) => latencies.length / seconds));
  const floor = perSecond(results["one plain INSERT"]!);
  const rows = Object.entries(results).map(([name, rounds]) => [
    name,
    figure(perSecond(rounds)),
    ratio(perSecond(rounds), floor),
    ...[0.5, 0.99].map((share) => figure(median(rounds.map((round) => percentile(round.latencies, share))))),
    figure(median(rounds.map((round) => round.serverMs))),
    String(rounds.reduce((sum, round) => sum + round.failed, 0)),
  ]);
  return {
    title: "As fast as it goes: 10 connections, each sends when it is answered",
    columns: ["target", "deliveries/s", "of the floor", "p50, ms", "p99, ms", "server CPU, ms", "failed"],
    rows,
    notes: ["Medians of 5 interleaved rounds of 8 s. Server CPU is the Deno process alone, per delivery."],
  };
}

function openTable(results: Record<string, Round[]>, durability: string): Table {
  const rows = Object.entries(results).map(([name, rounds]) => {
    const latencies = rounds.flatMap((round) => round.latencies);
    return [
      name,
      String(latencies.length),
      ...[0.5, 0.9, 0.99, 1].map((share) => figure(percentile(latencies, share))),
      `${figure(100 * shareAbove(latencies, 1_000))} %`,
      String(rounds.reduce((sum, round) => sum + round.failed, 0)),
    ];
  });
  return {
    title: "At 100 a second, whatever the answers take (Poisson)",
    columns: ["target", "deliveries", "p50, ms", "p90, ms", "p99, ms", "max, ms", "above 1 s", "failed"],
    rows,
    notes: [
      "Two interleaved rounds of 30 s, counted from the moment at which each was due. Meta's budget: median 250 ms, under 1 % above 1 s.",
      durability,
    ],
  };
}

/** In steady state most senders are known. */
async function introducePeople(stack: Stack): Promise<void> {
  for (let firstPerson = 0; firstPerson < PEOPLE; firstPerson += 100) {
    await deliver(stack.webhookUrl, delivery({ items: 100, people: 100, firstPerson }));
  }
}

function durability({ databasePort }: Stack): Promise<string> {
  return withConnection(urlOf(databasePort, "postgres", SUPERUSER), async (sql) => {
    const [row] = await sql`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`;
    return `fsync ${row!.fsync}, synchronous_commit ${row!.commit}.`;
  });
}
