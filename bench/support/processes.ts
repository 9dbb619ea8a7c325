import { freePort } from "../../scripts/stack/port.ts";

const ROOT = new URL("../../", import.meta.url);

/** A server in a process of its own; it ends with the block that holds it. */
export interface Server extends AsyncDisposable {
  url: string;
  pid: number;
}

/** Starts a script of this checkout. What it prints is written, to /dev/null. */
export function spawn(script: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", new URL(script, ROOT).pathname, ...args],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Ends a process as Ctrl-C would, and waits for it. */
export async function stop(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGINT");
  } catch {
    // It has ended already.
  }
  await child.status;
}

/** Starts a script that serves on the port given as its first argument. */
export async function startServer(script: string, ...args: string[]): Promise<Server> {
  const port = freePort();
  const child = spawn(script, [String(port), ...args]);
  await untilListening(port, child);
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, [Symbol.asyncDispose]: () => stop(child) };
}

/** Runs a script to its end and gives what it reported. Its log lines are written, to /dev/null. */
export async function run<T>(script: string, input: unknown): Promise<T> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL(script, ROOT).pathname, JSON.stringify(input)],
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr).trim();
  if (!success) throw new Error(`${script} failed\n${text}`);
  return JSON.parse(text.split("\n").at(-1)!);
}

/** For a script started by {@link run}: what it was asked to do. */
export function input<T>(): T {
  return JSON.parse(Deno.args[0]!);
}

/** For a script started by {@link run}: hands over what it found. Standard output belongs to the log. */
export function report(result: unknown): void {
  console.error(JSON.stringify(result));
}

async function untilListening(port: number, child: Deno.ChildProcess): Promise<void> {
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  while (!hasEnded) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`the server for port ${port} ended at once`);
}
