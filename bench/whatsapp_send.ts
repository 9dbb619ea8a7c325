import type { Sql } from "postgres";
import { developmentSettings } from "../scripts/stack/development.ts";
import type { Measurement, Options } from "./measurement.ts";
import type { SenderLoad, SenderReading } from "./processes/whatsapp_sender.ts";
import { type DurablePostgres, withDurablePostgres } from "./support/durable_postgres.ts";
import { cpuOf, cpuOfFamily } from "./support/machine.ts";
import { run, startServer } from "./support/processes.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const NUMBERS = ["100000000000001", "100000000000002", "100000000000003"];
const LATENCY_MS = 50;
/** Meta's throughput of a number, and after its upgrade. */
const THROUGHPUTS = [80, 1_000];

/** One round: what was sent, and what it took beside the sender. */
interface Round extends SenderReading {
  /** In milliseconds. */
  postgresCpu: number;
  apiCpu: number;
}

/** The sender, from the queue to Meta and back. */
export const whatsappSend: Measurement = {
  about:
    `Messages from the queue to a Graph API of ${LATENCY_MS} ms, from three numbers, by one run of the worker after the other.`,
  run: (options) => withDurablePostgres(async (postgres) => [await measure(postgres, options)]),
};

async function measure(postgres: DurablePostgres, { rounds, isQuick }: Options): Promise<Table> {
  const seconds = isQuick ? 5 : 10;
  const rows: string[][] = [];
  for (const throughput of THROUGHPUTS) {
    const found: Record<SenderLoad["kind"], Round[]> = { worker: [], bare: [] };
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      for (const kind of ["worker", "bare"] as const) {
        found[kind].push(await send(postgres, { kind, throughput, seconds }));
      }
    }
    rows.push(rowOf(`worker, ${throughput} a number`, found.worker, found.bare));
    rows.push(rowOf(`bare requests at ${BARE_RATE} a second`, found.bare, found.bare));
  }
  return {
    title: "Messages a second, and the CPU of one message",
    columns: ["sender", "messages/s", "worker CPU, ms", "of bare", "API CPU, ms", "Postgres CPU, ms"],
    rows,
    notes: [
      `Medians of rounds of ${seconds} s. Of a number's throughput 0.9 is used for sending (what comes in counts too): 216 a second for three of 80.`,
      "The bare requests are what no sender can do without: the same bodies by `fetch`, no queue, no database. The API is the local one.",
      postgres.settings,
    ],
  };
}

const BARE_RATE = 216;

async function send(
  { url, postmaster, sql }: DurablePostgres,
  { kind, throughput, seconds }: { kind: SenderLoad["kind"]; throughput: number; seconds: number },
): Promise<Round> {
  const { port, pathname } = new URL(url);
  await using api = await startServer("bench/peers/rpc_server.ts", "ours", port, pathname.slice(1));
  await using graph = await startServer("bench/processes/graph_server.ts", String(LATENCY_MS), String(throughput));
  if (kind === "worker") {
    await fillQueue(sql, { throughput, count: Math.min(throughput, 200) * NUMBERS.length * seconds });
  }
  const settings = {
    ...developmentSettings(api.url, url),
    WHATSAPP_ACCESS_TOKEN: "local-graph-token",
    WHATSAPP_API_URL: `${graph.url}/v26.0`,
    OUTBOUND_ALLOWED_HOSTS: new URL(graph.url).host,
  };
  const before = [cpuOfFamily(postmaster), cpuOf(api.pid)] as const;
  const load: SenderLoad = { kind, settings, seconds, rate: BARE_RATE };
  const reading = await run<SenderReading>("bench/processes/whatsapp_sender.ts", load);
  return { ...reading, postgresCpu: cpuOfFamily(postmaster) - before[0], apiCpu: cpuOf(api.pid) - before[1] };
}

/** A message to each of so many people, from the numbers in turn, and nothing else. */
async function fillQueue(sql: Sql, { throughput, count }: { throughput: number; count: number }): Promise<void> {
  await sql`truncate public.whatsapp_message_queue, private.whatsapp_lanes, private.whatsapp_senders`;
  for (const phone_number_id of NUMBERS) {
    await sql`insert into private.whatsapp_senders (phone_number_id, messages_per_second) values (${phone_number_id}, ${throughput})`;
  }
  await sql`
    select public.enqueue_whatsapp_message(
      phone_number_id => (${NUMBERS}::text[])[1 + at % ${NUMBERS.length}], recipient_phone => '+' || (250788000000 + at),
      message_type => 'template', message_payload => '{"template": {"name": "ride_update", "language": {"code": "en"}}}',
      category => 'utility'
    )
    from generate_series(1, ${count}::int) as at`;
  await sql`vacuum (analyze) public.whatsapp_message_queue`;
}

function rowOf(name: string, rounds: Round[], bare: Round[]): string[] {
  const each = (cpu: keyof Round) => median(rounds.map((round) => round[cpu] / round.sent));
  const cpu = each("cpu");
  return [
    name,
    figure(median(rounds.map(({ sent, seconds }) => sent / seconds))),
    figure(cpu),
    ratio(cpu, median(bare.map((round) => round.cpu / round.sent))),
    figure(each("apiCpu")),
    figure(each("postgresCpu")),
  ];
}
