import { connect, SUPERUSER, urlOf } from "../scripts/stack/connection.ts";
import { LOCAL_KEYS } from "../scripts/stack/development.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import { withConnection } from "../scripts/stack/database.ts";
import type { Measurement } from "./measurement.ts";
import { makeOurFlags, makeUnleashFlags, PERSON } from "./support/bench_flags.ts";
import { CLOSED_LOOP_COLUMNS, closedLoopRows, loadInTurn, type Target } from "./support/http_rounds.ts";
import { type Server, startServer } from "./support/processes.ts";

const DATABASE = "bench";
const FLOOR = "a bare handler";
const TOKEN = "*:development.bench0000000000000000000000000000000000000000000000000000";
const CONTEXT = JSON.stringify({ context: { targetingKey: PERSON.userId, ...PERSON } });
const JSON_BODY = { "content-type": "application/json" };
const OURS = { headers: { ...JSON_BODY, "x-api-key": LOCAL_KEYS.publishableKey }, body: CONTEXT };
const UNLEASH = {
  headers: { ...JSON_BODY, authorization: TOKEN },
  body: JSON.stringify({ context: { userId: PERSON.userId, properties: PERSON } }),
};

/** All flags for one person, over HTTP. */
export const flagsHttp: Measurement = {
  about: "20 flags (rollouts to half, lists of countries with two variants, least versions) for one person, over HTTP.",
  run: ({ rounds, isQuick }) =>
    withMigratedPostgres(DATABASE, async ({ url }, port) => {
      await withConnection(url, makeOurFlags);
      await using servers = new AsyncDisposableStack();
      const probe = await startServer("bench/peers/flag_stack.ts", String(port), DATABASE, "");
      const answer = await bulkOf(probe);
      await probe[Symbol.asyncDispose]();
      const stack = servers.use(await startServer("bench/peers/flag_stack.ts", String(port), DATABASE, answer));
      const unleash = servers.use(await startUnleash(port));
      const targets: Record<string, Target> = {
        "flag-evaluation": { url: `${stack.url}${BULK}`, pid: stack.pid, post: OURS },
        [FLOOR]: { url: `${stack.url}/functions/v1/bare`, pid: stack.pid, post: OURS },
        "unleash-server": { url: `${unleash.url}/api/frontend`, pid: unleash.pid, post: UNLEASH },
      };
      await loadInTurn(url, targets, { rounds: 1, seconds: isQuick ? 2 : 5, connections: 10 });
      const found = await loadInTurn(url, targets, { rounds, seconds: isQuick ? 3 : 8, connections: 10 });
      return [{
        title: "10 connections, each asks when it is answered",
        columns: ["server", ...CLOSED_LOOP_COLUMNS],
        rows: closedLoopRows(found, FLOOR),
        notes: [
          `Medians of ${rounds} interleaved rounds. Ours authenticates, parses, evaluates, counts, and tags the answer.`,
          "The floor is behind the same gateway, reads the body and answers the same bytes, fixed.",
          "Targets: 0.3 of the floor, twice unleash-server, which answers only the flags that are on.",
        ],
      }];
    }),
};

const BULK = "/functions/v1/flag-evaluation/ofrep/v1/evaluate/flags";

async function bulkOf({ url }: Server): Promise<string> {
  const answer = await fetch(`${url}${BULK}`, { method: "POST", ...OURS });
  const text = await answer.text();
  if (JSON.parse(text).flags?.length !== 20) throw new Error(`expected 20 flags: ${text}`);
  return text;
}

async function startUnleash(port: number): Promise<Server> {
  const superuser = connect(urlOf(port, "postgres", SUPERUSER));
  await superuser`create database unleash`;
  await superuser.end();
  const server = await startServer("bench/peers/npm/unleash.ts", urlOf(port, "unleash", SUPERUSER), TOKEN);
  await makeUnleashFlags(server.url);
  await untilOn(server.url);
  return server;
}

/** Its frontend API works from a snapshot that is refreshed now and then: 7 lists and 6 versions are on for sure. */
async function untilOn(url: string): Promise<void> {
  for (let count = 0; count < 13;) {
    const answer = await fetch(`${url}/api/frontend`, { method: "POST", ...UNLEASH });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    count = (await answer.json()).toggles.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
