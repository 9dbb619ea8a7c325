import { fromFileUrl } from "@std/path";

/** Longer than a process takes to come to its work on a machine that has much else to do. */
const PATIENCE_MS = 30_000;

/** A process's code as one file, which starts in a fraction of the time; gone when the test ends. */
export async function bundled(source: URL): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempFile({ suffix: ".js" });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", `--output=${path}`, fromFileUrl(source)],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Starts the process and kills it at some moment of the time after it has said that it is at work. */
export async function startAndKill(script: string, settings: Record<string, string>, withinMs: number): Promise<void> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-config", script],
    env: settings,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let patience: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    child.stdout.getReader().read(),
    // There may be nothing to do for a moment: others hold it.
    new Promise((resolve) => patience = setTimeout(resolve, PATIENCE_MS)),
  ]);
  clearTimeout(patience);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * withinMs));
  child.kill("SIGKILL");
  await child.status;
}
