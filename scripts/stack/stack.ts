import type { Sql } from "postgres";
import { createAuth } from "./auth.ts";
import { foreignTarget, localTarget, prepareMigratedDatabase, type Target, withConnection } from "./database.ts";
import { developmentSettings, LOCAL_KEYS } from "./development.ts";
import { provideEdgeRuntime } from "./edge_runtime.ts";
import { loadFunctions } from "./functions.ts";
import { createGateway } from "./gateway.ts";
import { createIdentify } from "./identity.ts";
import { openLocalGraph } from "./local_graph.ts";
import { openLocalPayments } from "./local_payments.ts";
import { runFile } from "./sql_file.ts";
import type { StackOptions } from "./options.ts";
import { usableFolder } from "./data_folder.ts";
import { refuseTakenPort } from "./port.ts";
import { startPostgres } from "./postgres.ts";
import { StackError } from "./stack_error.ts";
import { createRpc } from "./rpc/handler.ts";
import { startScheduleTimer } from "./schedule_timer.ts";
import { claimFolder, removeState, type StackState, writeState } from "./state.ts";
import { openWakeups } from "./wakeups.ts";

const SEED = new URL("../../supabase/seed.sql", import.meta.url);

const PATIENCE_MS = 3_000;

/** Everything that was opened, to be closed in the opposite order. */
type Closers = (() => Promise<unknown>)[];

/**
 * Starts Postgres, migrations, API, functions and schedule. When a part fails, what was started is stopped again.
 *
 * @throws StackError saying in one line what is wrong
 */
export async function startStack(options: StackOptions): Promise<{ state: StackState; stop: () => Promise<void> }> {
  const closers: Closers = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close().catch((error) => console.error(error.message));
  };
  try {
    return { state: await open(options, closers), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(options: StackOptions, closers: Closers): Promise<StackState> {
  refuseTakenPort(options.port, "API", "--port");
  const folder = await usableFolder(options.data);
  const giveBack = await claimFolder(folder);
  closers.push(giveBack);
  const target = options.dbUrl ? await openForeign(options.dbUrl) : await openPostgres(folder, options.dbPort, closers);
  await prepare(target);
  const apiUrl = `http://127.0.0.1:${options.port}`;
  setEnvironment(developmentSettings(apiUrl, target.url));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port, onListen: () => {} },
    await openApi(target, apiUrl, closers),
  );
  closers.push(() => soon(server.shutdown()));
  const closeGraph = openLocalGraph(`${apiUrl}/functions/v1/whatsapp-webhook`);
  closers.push(() => soon(closeGraph()));
  const closePayments = openLocalPayments(`${apiUrl}/functions/v1/payment-intake/webhooks`);
  closers.push(() => soon(closePayments()));
  const endFunctions = provideEdgeRuntime();
  closers.push(() => soon(endFunctions()));
  const workerToken = Deno.env.get("WORKER_TOKENS")!.split(",")[0]!.trim();
  closers.push(await openWakeups(target, { functionsUrl: `${apiUrl}/functions/v1`, workerToken }));
  const stopTimer = startScheduleTimer(target.url);
  closers.push(() => soon(stopTimer()));
  const state = { pid: Deno.pid, apiUrl, dbUrl: target.url };
  await writeState(folder, state);
  closers.push(() => removeState(folder));
  return state;
}

/** Waits for what is ending, but not long: a request or job that takes its time ends with its connection. */
async function soon(ending: Promise<unknown>): Promise<void> {
  let timer;
  const impatience = new Promise((resolve) => timer = setTimeout(resolve, PATIENCE_MS));
  await Promise.race([ending, impatience]);
  clearTimeout(timer);
}

async function openPostgres(folder: string, port: number, closers: Closers): Promise<Target> {
  // The functions write when they are told of the end.
  const postgres = await startPostgres({ folder, port, isDetached: true });
  closers.push(() => postgres.stop());
  return localTarget(port);
}

async function openForeign(url: string): Promise<Target> {
  try {
    const target = foreignTarget(url);
    const [user] = await withConnection(url, (sql) => sql`select rolsuper from pg_roles where rolname = current_user`);
    if (user!.rolsuper) return target;
  } catch (error) {
    const { message, code } = error as { message: string; code?: string };
    throw new StackError(`the database of --db-url cannot be used: ${message || code}`);
  }
  throw new StackError("the database of --db-url cannot be used: it takes a superuser to make roles and auth tables");
}

async function prepare(target: Target): Promise<void> {
  const applied = await prepareMigratedDatabase(target);
  for (const file of applied) console.log(`applied ${file}`);
  // As `supabase db reset` does: the seed follows the first migrations, once.
  const isFresh = applied.length > 0 && await withConnection(target.url, async (sql) => {
    const [row] = await sql`select count(*)::int as count from supabase_migrations.schema_migrations`;
    return row!.count === applied.length;
  });
  if (isFresh) await withConnection(target.url, seed);
}

async function seed(sql: Sql): Promise<void> {
  try {
    await runFile(sql, SEED);
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    throw new StackError(`${error.message} (mend it and run \`deno task reset\`: the seed is sown only once)`);
  }
}

async function openApi(target: Target, apiUrl: string, closers: Closers): Promise<(r: Request) => Promise<Response>> {
  const rpc = createRpc({ url: target.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
  closers.push(() => rpc.close());
  const onOtp = (phone: string, code: string) => console.log(`code for ${phone}: ${code}`);
  const auth = createAuth({ superuserUrl: target.superuserUrl, keys: LOCAL_KEYS, onOtp, publicUrl: apiUrl });
  closers.push(() => auth.close());
  return createGateway({
    functions: await loadFunctions(),
    rpc: (request) => rpc.fetch(request),
    auth,
    publicUrl: apiUrl,
  });
}

/** Development values fill what the environment does not set. */
function setEnvironment(settings: Record<string, string>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith("SUPABASE_") || !Deno.env.get(name)) Deno.env.set(name, value);
  }
}
