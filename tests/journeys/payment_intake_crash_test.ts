import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Sql } from "postgres";
import { type FakeMomo, startFakeMomo } from "../../scripts/fakes/momo/fake_momo.ts";
import { random } from "../../scripts/fakes/random.ts";
import { connect } from "../../scripts/stack/connection.ts";
import { temporaryFolder } from "../../scripts/stack/data_folder.ts";
import { localTarget, prepareMigratedDatabase } from "../../scripts/stack/database.ts";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { startPostgres } from "../../scripts/stack/postgres.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";
import { sources } from "../../supabase/functions/worker/sources.ts";
import { signedIn } from "../support/signed_in.ts";
import { appWith, runRequest } from "../functions/worker/app.ts";
import { createUser } from "../sql/foundation/people.ts";
import { openWallet } from "../sql/wallet/wallets.ts";
import { useSettings } from "../support/settings.ts";

const RIDERS = 6;
/** In turn: the function's process, the function's process, Postgres. */
const KILLS = 9;
const PAYMENTS_BETWEEN = 15;
const OPENING = 1_000_000;

const dice = random(7);

/** A payment that a rider was told of. */
interface Acknowledged {
  id: string;
  key: string;
  method: string;
}

/** What can be killed, and is started again. */
interface Killable {
  kill(): Promise<void>;
  stop(): Promise<void>;
}

async function killablePostgres(options: { folder: string; port: number }): Promise<Killable> {
  let postgres = await startPostgres(options);
  return {
    async kill() {
      await postgres.stop("SIGKILL");
      postgres = await startPostgres(options);
    },
    async stop() {
      await postgres.stop();
      await Deno.remove(options.folder, { recursive: true });
    },
  };
}

async function killableFunction(settings: Record<string, string>): Promise<Killable> {
  const script = fromFileUrl(new URL("./intake_process.ts", import.meta.url));
  async function start(): Promise<Deno.ChildProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script],
      env: settings,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    await child.stdout.getReader().read();
    return child;
  }
  async function end(child: Deno.ChildProcess): Promise<void> {
    child.kill("SIGKILL");
    await child.status;
    await child.stdin.close().catch(() => {});
  }
  let child = await start();
  return {
    async kill() {
      await end(child);
      child = await start();
    },
    stop: () => end(child),
  };
}

/** A rider who pays one fare after the other, and repeats what got no answer under the same key until it has one. */
async function ride(
  url: string,
  rider: { token: string; name: number },
  driver: string,
  storm: { isOver: boolean; unanswered: number; acknowledged: Acknowledged[] },
): Promise<void> {
  for (let number = 0; !storm.isOver; number++) {
    const [key, method] = [`${rider.name}-${number}`, number % 3 === 0 ? "wallet" : "mtn_momo"];
    const body = { amount: 100 + number % 50, currency: "RWF", method, to_account_id: driver };
    let id = await submit(url, rider.token, key, body);
    for (; id === undefined; id = await submit(url, rider.token, key, body)) {
      storm.unanswered++;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    storm.acknowledged.push({ id, key, method });
  }
}

/** One try; undefined when it is to be made again. */
async function submit(url: string, token: string, key: string, body: unknown): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": key };
  try {
    const answer = await fetch(`${url}/payments`, { method: "POST", headers, body: JSON.stringify(body) });
    const { id, type } = await answer.json();
    if (answer.status === 201) return id;
    assert([409, 429, 503, 504].includes(answer.status), `answered ${answer.status} ${type}`);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
  }
}

/** Makes every attempt due, and ends every lease: whoever holds one may be dead. Riders may pay as often as before. */
async function passTime(sql: Sql): Promise<void> {
  await sql`delete from private.rate_limits`;
  await sql`update public.payment_attempts set leased_until = null, next_check_at = now() where status <> 'ended'`;
}

/** Kills in turn, with payments between, and ends leases all the while. */
async function killInTurn(
  url: string,
  parts: { postgres: Killable; intake: Killable },
  storm: { acknowledged: Acknowledged[] },
): Promise<void> {
  for (let kills = 0; kills < KILLS; kills++) {
    const before = storm.acknowledged.length;
    while (storm.acknowledged.length < before + PAYMENTS_BETWEEN) {
      const sql = connect(url);
      await passTime(sql);
      await sql.end();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await (kills % 3 === 2 ? parts.postgres : parts.intake).kill();
  }
}

/** Lets the worker run until the provider's end of everything is known. */
async function settle(sql: Sql): Promise<void> {
  const app = appWith((call) => sources(call));
  for (let tries = 0; tries < 60; tries++) {
    await passTime(sql);
    await (await app.fetch(runRequest("?sources=payments"))).body?.cancel();
    const [open] = await sql`select count(*)::int from public.payment_attempts where status <> 'ended'`;
    if (open!.count === 0) return;
  }
  throw new Error("the worker does not come to an end");
}

async function assertWhole(sql: Sql, momo: FakeMomo, acknowledged: readonly Acknowledged[]): Promise<void> {
  const stored = await sql`
    select stored.id, stored.method, stored.status, attempt.id as attempt_id,
      (select count(*)::int from public.wallet_transactions as posting
        where posting.source = 'payment' and posting.reference = stored.id::text) as posted
    from public.transactions as stored left join public.payment_attempts as attempt on attempt.transaction_id = stored.id`;

  assertEquals(stored.map(({ id }) => id).toSorted(), acknowledged.map(({ id }) => id).toSorted());
  const wrong = stored.filter(({ attempt_id, status, posted }) => {
    const entry = momo.books.entries.get(attempt_id);
    const isPaid = attempt_id === null || momo.books.statusOf(entry!) === "SUCCESSFUL";
    return status !== (isPaid ? "succeeded" : "failed") || posted !== (isPaid ? 1 : 0);
  });
  assertEquals(wrong, []);
  assertEquals(momo.books.entries.size, stored.filter(({ attempt_id }) => attempt_id !== null).length);
  assertEquals([...await sql`select * from public.wallet_drift`], []);
}

Deno.test({
  name:
    "payments answered while the function and Postgres are killed again and again are there, each once and as MTN has it",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using momo = startFakeMomo({
      latencyMs: 5,
      course: () => dice.chance(0.2) ? { reason: "NOT_ENOUGH_FUNDS" } : {},
      misbehave: () => dice.chance(0.1) ? { accepts: dice.chance(0.5), answer: "close" } : undefined,
    });
    const [folder, port, intakePort] = [
      `${temporaryFolder()}-intake-${crypto.randomUUID().slice(0, 8)}`,
      freePort(),
      freePort(),
    ];
    const postgres = await killablePostgres({ folder, port });
    const target = localTarget(port);
    await prepareMigratedDatabase(target);
    const rpc = createRpc({ url: target.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    const settings = {
      ...developmentSettings(`http://127.0.0.1:${server.addr.port}`, target.url),
      ...momo.settings,
      OUTBOUND_ALLOWED_HOSTS: momo.host,
    };
    useSettings(settings);
    const intake = await killableFunction({ ...settings, INTAKE_PORT: String(intakePort) });
    const storm = { isOver: false, unanswered: 0, acknowledged: [] as Acknowledged[] };
    try {
      const opening = connect(target.url);
      const driver = await openWallet(opening);
      const riders = [];
      for (let name = 0; name < RIDERS; name++) {
        const userId = await opening.begin((sql) => createUser(sql));
        await openWallet(opening, { userId, balance: OPENING });
        riders.push({ name, token: await signedIn(userId) });
      }
      await opening.end();

      const url = `http://127.0.0.1:${intakePort}/payment-intake`;
      const rides = riders.map((rider) => ride(url, rider, driver, storm));
      await killInTurn(target.url, { postgres, intake }, storm);
      storm.isOver = true;
      const sql = connect(target.url);
      await passTime(sql);
      await Promise.all(rides);
      await settle(sql);

      assert(storm.unanswered > 0, "the kills were felt");
      await assertWhole(sql, momo, storm.acknowledged);
      await sql.end();
    } finally {
      storm.isOver = true;
      await intake.stop();
      await server.shutdown();
      await rpc.close();
      await postgres.stop();
    }
  },
});
