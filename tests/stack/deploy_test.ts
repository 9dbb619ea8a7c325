import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { functionNames } from "../../scripts/stack/functions.ts";
import { developmentSettings } from "../../scripts/stack/development.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { runSupabase } from "../../scripts/stack/supabase_cli.ts";
import { ACCESS_TOKEN, type Deployment, startManagementApi } from "../support/management_api.ts";
import { CHECKOUT } from "./stack_process.ts";

/** What the platform runs functions on. */
const PLATFORM_DENO = "deno@2.1.4";

Deno.test("what supabase functions deploy uploads is all that each function needs to run on the platform's Deno", async (t) => {
  await using api = startManagementApi();
  const folder = await Deno.makeTempDir({ prefix: "deploy-" });
  try {
    await deploy(api.url, folder);

    assertEquals([...api.deployed.keys()].sort(), functionNames());
    for (const [name, deployment] of api.deployed) {
      await t.step(name, async () => {
        assertEquals(deployment.metadata.verify_jwt, false);
        const home = join(folder, name);
        await unpack(deployment, home);
        const { openapi, paths } = await openApiOf(deployment, home);
        assertEquals(openapi, "3.1.0");
        assertStringIncludes(Object.keys(paths)[0]!, "/");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs the real command against an API of ours. */
async function deploy(url: string, folder: string): Promise<void> {
  const profile = join(folder, "profile.yaml");
  await Deno.writeTextFile(
    profile,
    `name: loopback\napi_url: ${url}\ndashboard_url: ${url}\nproject_host: localhost\n`,
  );
  await runSupabase(
    ["functions", "deploy", "--use-api", "--yes", `--remote=${"a".repeat(20)}`, `--profile=${profile}`, "--agent=no"],
    CHECKOUT,
    { SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN },
  );
}

async function unpack({ files }: Deployment, home: string): Promise<void> {
  for (const [path, bytes] of files) {
    await Deno.mkdir(join(home, dirname(path)), { recursive: true });
    await Deno.writeFile(join(home, path), bytes);
  }
}

/** Starts a function from nothing but its files and asks it for its own description. */
async function openApiOf({ metadata }: Deployment, home: string) {
  const port = freePort();
  const child = new Deno.Command("npx", {
    args: [
      ...["-y", PLATFORM_DENO, "serve", "-A", "--no-lock", "--no-check", "--node-modules-dir=none", "--quiet"],
      ...[`--port=${port}`, "--host=127.0.0.1", `--config=${metadata.import_map_path}`, metadata.entrypoint_path],
    ],
    cwd: home,
    env: {
      ...developmentSettings("http://127.0.0.1:1", ""),
      ...{ npm_config_loglevel: "error", DENO_TLS_CA_STORE: "mozilla,system" },
    },
    stdin: "null",
    stdout: "null",
    // A group of its own, to end those whom npx started, too.
    detached: true,
  }).spawn();
  try {
    const url = `http://127.0.0.1:${port}/${metadata.name}/openapi.json`;
    return await (await whenUp(url, child.status)).json();
  } finally {
    Deno.kill(-child.pid);
    await child.status;
  }
}

async function whenUp(url: string, ended: Promise<Deno.CommandStatus>): Promise<Response> {
  let hasEnded = false;
  ended.then(() => hasEnded = true);
  while (!hasEnded) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the function ended before it answered");
}
