import { prepareMigratedDatabase, withConnection } from "./stack/database.ts";
import { freePort, startPostgres, SUPERUSER, temporaryFolder, urlOf } from "./stack/postgres.ts";

/**
 * Runs the tests on a Postgres of their own: one cluster, one migrated template database that each file clones.
 * Arguments go to `deno test`; its last line is repeated in the plain form `N passed, N failed`.
 */
const folder = `${temporaryFolder()}-test-${crypto.randomUUID().slice(0, 8)}`;
const server = await startPostgres({ folder, port: freePort() });
try {
  await withConnection(urlOf(server.port, "postgres", SUPERUSER), (sql) => sql`create database template_migrated`);
  await prepareMigratedDatabase(server.port, "template_migrated");
  Deno.exitCode = await runTests({ TEST_POSTGRES_PORT: String(server.port) });
} finally {
  await server.stop();
  await Deno.remove(folder, { recursive: true });
}

async function runTests(env: Record<string, string>): Promise<number> {
  const targets = Deno.args.length > 0 ? Deno.args : ["tests/"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", "--no-check", ...targets],
    env: { ...env, NO_COLOR: "1" },
    stdout: "piped",
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
}
