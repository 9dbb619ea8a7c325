import { withMigratedPostgres } from "./stack/throwaway.ts";

/** Longer than any run that goes on: a test that waits for ever fails with its name in the output, here and not in CI's limit. */
const LIMIT_MS = 60 * 60 * 1_000;

/**
 * Runs the tests on a Postgres of their own: one cluster, one migrated template database that each file clones.
 * Arguments go to `deno test`; its last line is repeated in the plain form `N passed, N failed`.
 */
Deno.exitCode = await withMigratedPostgres("template_migrated", async (_, port) => {
  const targets = Deno.args.length > 0 ? Deno.args : ["tests/"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", "--no-check", ...targets],
    env: { TEST_POSTGRES_PORT: String(port), NO_COLOR: "1" },
    stdout: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn();
  let tail = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + new TextDecoder().decode(chunk)).slice(-1_000);
  }
  const { code } = await child.status;
  const [, passed = "0", failed = "0"] = /(\d+) passed.*\| (\d+) failed/.exec(tail) ?? [];
  console.log(`${passed} passed, ${failed} failed`);
  return code;
});
