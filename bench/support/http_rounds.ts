import { withConnection } from "../../scripts/stack/database.ts";
import type { HttpAnswers, HttpLoad } from "../processes/http_load.ts";
import { cpuOf, cpuOfFamily, parentOf } from "./machine.ts";
import { run } from "./processes.ts";
import { interleave } from "./rounds.ts";
import { median, percentile } from "./statistics.ts";
import { figure, ratio } from "./table.ts";

/** A server under load, and its process. */
export interface Target {
  url: string;
  pid: number;
  /** What to send to this one, where it is not the same for all. */
  post?: HttpLoad["post"];
  get?: HttpLoad["get"];
}

/** One round of one target, with the CPU that each request took, in milliseconds. */
export interface Round extends HttpAnswers {
  serverCpu: number;
  postgresCpu: number;
}

/** Loads several servers of one database in turn. */
export async function loadInTurn(
  databaseUrl: string,
  targets: Record<string, Target>,
  { rounds, ...load }: Omit<HttpLoad, "url"> & { rounds: number },
): Promise<Record<string, Round[]>> {
  const postmaster = await withConnection(databaseUrl, async (sql) => {
    const [row] = await sql`select pg_backend_pid() as pid`;
    return parentOf(row!.pid);
  });
  const rivals = Object.entries(targets).map(([name, { url, pid, post, get }]) => [name, async (): Promise<Round> => {
    const [server, postgres] = [cpuOf(pid), cpuOfFamily(postmaster)];
    const answers = await run<HttpAnswers>("bench/processes/http_load.ts", { post, get, ...load, url });
    const count = answers.latencies.length;
    const postgresCpu = (cpuOfFamily(postmaster) - postgres) / count;
    return { ...answers, serverCpu: (cpuOf(pid) - server) / count, postgresCpu };
  }]);
  return interleave(rounds, Object.fromEntries(rivals));
}

export const CLOSED_LOOP_COLUMNS = [
  "per second",
  "of the floor",
  "p50, ms",
  "p99, ms",
  "server CPU, ms",
  "Postgres CPU, ms",
  "failed",
];

/** A row per target, compared with the one that is named as the floor. */
export function closedLoopRows(found: Record<string, Round[]>, floor: string): string[][] {
  const perSecond = (rounds: Round[]) => median(rounds.map(({ latencies, seconds }) => latencies.length / seconds));
  return Object.entries(found).map(([name, rounds]) => [
    name,
    figure(perSecond(rounds)),
    ratio(perSecond(rounds), perSecond(found[floor]!)),
    ...[0.5, 0.99].map((share) => figure(median(rounds.map(({ latencies }) => percentile(latencies, share))))),
    figure(median(rounds.map((round) => round.serverCpu))),
    figure(median(rounds.map((round) => round.postgresCpu))),
    failures(rounds),
  ]);
}

/** How many requests were not answered with success. */
export function failures(rounds: Round[]): string {
  return String(rounds.reduce((sum, round) => sum + round.failed, 0));
}
