import process from "node:process";
import { join } from "@std/path";
import { reachableBinaries } from "./binaries.ts";
import { connect, PASSWORD, SUPERUSER, urlOf } from "./connection.ts";
import { anew, exists, usableFolder } from "./data_folder.ts";
import { refuseTakenPort } from "./port.ts";
import { lastLine, StackError } from "./stack_error.ts";

/** A running cluster of our own. */
export interface Postgres {
  port: number;
  pid: number;
  /** Where data, log and, when copied, binaries really are. */
  folder: string;
  isNew: boolean;
  stop(signal?: Deno.Signal): Promise<void>;
}

// Postgres refuses to run as root; `nobody` exists on every system.
const NOBODY = { uid: 65534, gid: 65534 };
const asServerUser = Deno.uid() === 0 ? NOBODY : {};

/** Where a cluster is, and how it runs. */
export interface PostgresOptions {
  folder: string;
  port: number;
  /** Whether a terminal's Ctrl-C is not its own, so that whoever started it can still write before stopping it. */
  isDetached?: boolean;
}

/**
 * Starts Postgres 17 from the npm binaries on `port`, making the cluster in `folder` when there is none.
 *
 * @throws StackError when the port is taken, the folder is not usable or the server does not come up
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const folder = await usableFolder(options.folder);
  const bin = join(await reachableBinaries(folder), "bin");
  const data = join(folder, "postgres");
  await stopLeftover(data);
  refuseTakenPort(options.port, "database", "--db-port");
  const isNew = await initialise(bin, data);
  const child = await readyServer(() => spawnServer(bin, data, options), options.port);
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

function spawnServer(bin: string, data: string, { port, isDetached }: PostgresOptions): Deno.ChildProcess {
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
    detached: isDetached,
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
    // It has ended already: without a process group of its own, a terminal's Ctrl-C reaches it too.
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

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
