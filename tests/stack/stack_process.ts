import { fromFileUrl, join } from "@std/path";
import { urlOf } from "../../scripts/stack/connection.ts";
import { dataFolder, temporaryFolder } from "../../scripts/stack/data_folder.ts";
import { freePort } from "../../scripts/stack/port.ts";

/** The checkout that these tests belong to. */
export const CHECKOUT = fromFileUrl(new URL("../../", import.meta.url));

/** What a command said before it ended. */
export interface Ended {
  code: number;
  stdout: string;
  /** Its lines; a mistake of the user is one. */
  errors: string[];
}

/** `scripts/start.ts` in a process of its own. */
export interface StackProcess extends AsyncDisposable {
  pid: number;
  url: string;
  databaseUrl: string;
  /** Resolves when it says that it is ready; fails when it ends before. */
  ready(): Promise<void>;
  /** What it has printed so far. */
  stdout(): string;
  /** Sends a signal, to the process alone or, as a terminal does, to its whole group. */
  signal(signal: Deno.Signal, to?: "process" | "group"): void;
  ended: Promise<Ended>;
}

/** Starts a stack on free ports, with settings of their own if given the URL. */
export function startStack(
  data: string,
  args: string[] = [],
  checkout = CHECKOUT,
  settings: (url: string) => Record<string, string> = () => ({}),
): StackProcess {
  const [port, databasePort] = [freePort(), freePort()];
  const url = `http://127.0.0.1:${port}`;
  const flags = ["--port", `${port}`, "--db-port", `${databasePort}`, "--data", data, ...args];
  const { child, stdout, ended } = spawn(checkout, "start", flags, settings(url));
  function signal(name: Deno.Signal, to = "process"): void {
    Deno.kill(to === "group" ? -child.pid : child.pid, name);
  }
  return {
    pid: child.pid,
    url,
    databaseUrl: urlOf(databasePort),
    stdout: stdout.text,
    signal,
    ended,
    async ready() {
      const outcome = await Promise.race([stdout.until("is ready"), ended]);
      if (outcome) throw new Error(`the stack ended: ${outcome.errors.join("\n")}`);
    },
    async [Symbol.asyncDispose]() {
      try {
        signal("SIGTERM");
      } catch {
        // The test has ended it.
      }
      await ended;
    },
  };
}

/** Runs a command that ends by itself; a stack that comes up is stopped. */
export function runScript(name: "start" | "status" | "reset", args: string[], checkout = CHECKOUT): Promise<Ended> {
  const { child, stdout, ended } = spawn(checkout, name, args);
  stdout.until("is ready").then(() => child.kill());
  return ended;
}

/** A data folder for one test, with whatever a stack leaves there, gone after the block that holds it. */
export function temporaryData(): { path: string } & AsyncDisposable {
  const path = `${temporaryFolder()}-start-${crypto.randomUUID().slice(0, 8)}`;
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }).catch(() => {}) };
}

/** The ids of the processes that name `text` in their command line: Postgres names its data folder. */
export async function processesNaming(text: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-A", "-ww", "-o", "pid=,args="] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(text));
  return lines.map((line) => parseInt(line));
}

/** The ids of the Postgres servers on a data folder. */
export function serversOn(data: string): Promise<number[]> {
  return processesNaming(`-D ${join(dataFolder(data), "postgres")} `);
}

interface Spawned {
  child: Deno.ChildProcess;
  stdout: Collected;
  ended: Promise<Ended>;
}

function spawn(checkout: string, script: string, args: string[], env: Record<string, string> = {}): Spawned {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", `scripts/${script}.ts`, ...args],
    cwd: checkout,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true, // a group of its own, as a shell makes one of each command
  }).spawn();
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  async function end(): Promise<Ended> {
    const [{ code }] = await Promise.all([child.status, stdout.all, stderr.all]);
    return { code, stdout: stdout.text(), errors: stderr.text().split("\n").filter((line) => line !== "") };
  }
  return { child, stdout, ended: end() };
}

interface Collected {
  text(): string;
  until(mark: string): Promise<void>;
  all: Promise<void>;
}

function collect(stream: ReadableStream<Uint8Array>): Collected {
  let text = "";
  const waiting: { mark: string; resolve: () => void }[] = [];
  const all = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (const { mark, resolve } of waiting) if (text.includes(mark)) resolve();
    }
  })();
  return {
    text: () => text,
    all,
    until: (mark) =>
      new Promise((resolve) => text.includes(mark) ? resolve() : waiting.push({ mark, resolve: () => resolve() })),
  };
}
