import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Sql } from "postgres";
import { type FakeMomo, type FakeMomoOptions, startFakeMomo } from "../../../scripts/fakes/momo/fake_momo.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import intake from "../../../supabase/functions/payment-intake/index.ts";
import { sources } from "../../../supabase/functions/worker/sources.ts";
import { appWith, runRequest } from "../worker/app.ts";
import { createUser } from "../../sql/foundation/people.ts";
import { openWallet } from "../../sql/wallet/wallets.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog, type LogLines } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";
import { signedIn } from "../../support/signed_in.ts";

/** Somebody with a wallet who has signed in. */
export interface Person {
  userId: string;
  accountId: string;
  token: string;
}

/** The function over a database of its own, reached as in production, and an MTN MoMo behind it. */
export interface Intake {
  sql: Sql;
  momo: FakeMomo;
  log: LogLines;
  settings: Record<string, string>;
  /** Functions of the database that nobody reaches, as if it had just gone. */
  unreachable: Set<string>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Calls as that person, with JSON. */
  as(person: Person, path: string, init?: { method?: string; body?: unknown; key?: string | null }): Promise<Response>;
  /** A browser's client, signed in as that person. */
  client(person: Person): SupabaseClient;
  person(balance?: number, claims?: Record<string, unknown>): Promise<Person>;
  operator(): Promise<Person>;
}

const log = captureLog();
const ORIGIN = "http://127.0.0.1";

/** A test with all of that; whatever it opens is closed when it ends. */
export function intakeTest(
  name: string,
  body: (intake: Intake) => Promise<void>,
  options: FakeMomoOptions = {},
): void {
  Deno.test(name, async () => {
    await using momo = startFakeMomo({ course: () => ({ afterMs: Infinity }), bring: callFunction, ...options });
    const database = await createTestDatabase();
    const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const unreachable = new Set<string>();
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/functions/v1/")) return callFunction(request);
      if (unreachable.has(pathname.replace("/rest/v1/rpc/", ""))) return new Response(null, { status: 503 });
      return rpc.fetch(request);
    });
    const url = `http://127.0.0.1:${server.addr.port}`;
    const settings = {
      ...developmentSettings(url, database.url),
      FLUTTERWAVE_SECRET_KEY: "FLWSECK_TEST-local",
      ...momo.settings,
      MTN_MOMO_CALLBACK_URL: `${url}/functions/v1/payment-intake/webhooks/mtn-momo`,
      OUTBOUND_ALLOWED_HOSTS: momo.host,
    };
    useSettings(settings);
    log.clear();
    try {
      await body({ ...intakeOver(database.sql, momo, url, settings), unreachable });
    } finally {
      await server.shutdown();
      await rpc.close();
      await database.sql.end();
    }
  });
}

/** As the platform's gateway does: the function sees its own name first. */
async function callFunction(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  return await intake.fetch(new Request(`${ORIGIN}${pathname.replace("/functions/v1", "")}${search}`, request));
}

function intakeOver(
  sql: Sql,
  momo: FakeMomo,
  url: string,
  settings: Record<string, string>,
): Omit<Intake, "unreachable"> {
  const fetch: Intake["fetch"] = async (path, init) =>
    await intake.fetch(new Request(`${ORIGIN}/payment-intake${path}`, init));

  async function person(balance = 0, claims: Record<string, unknown> = {}): Promise<Person> {
    const userId = await sql.begin((sql) => createUser(sql));
    const accountId = await openWallet(sql, { balance, userId });
    return { userId, accountId, token: await signedIn(userId, claims) };
  }

  return {
    sql,
    momo,
    log,
    settings,
    fetch,
    person,
    as: ({ token }, path, { method = "POST", body, key = null } = {}) =>
      fetch(path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(key === null ? {} : { "idempotency-key": key }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
    client: ({ token }) => createClient(url, LOCAL_KEYS.publishableKey, { accessToken: () => Promise.resolve(token) }),
    async operator() {
      const somebody = await person(0, { app_metadata: { role: "operator" } });
      await sql`insert into private.operators (user_id, reason) values (${somebody.userId}, 'payments')`;
      return somebody;
    },
  };
}

/** One run of the worker over payments, which asks the providers about what is due. */
export async function work(): Promise<void> {
  const app = appWith((call) => sources(call));
  await (await app.fetch(runRequest("?sources=payments"))).body?.cancel();
}

/** What an account has, as the ledger says. */
export async function balanceOf(sql: Sql, accountId: string): Promise<number> {
  const [row] = await sql`select balance::float8 from public.wallet_balance(${accountId})`;
  return row!.balance;
}

/** How many payments there are. */
export async function paymentCount(sql: Sql): Promise<number> {
  return (await sql`select from public.transactions`).length;
}
