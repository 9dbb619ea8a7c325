import { join } from "@std/path";
import { type Bundle, bundle } from "../scripts/source/bundle.ts";
import { developmentSettings } from "../scripts/stack/development.ts";
import { functionNames } from "../scripts/stack/functions.ts";
import type { Measurement } from "./measurement.ts";
import { interleave } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio } from "./support/table.ts";

const HERE = new URL("./", import.meta.url);
const FIRST_ANSWER = new URL("processes/first_answer.ts", HERE).pathname;
const HELLO = "bare Hono hello";
const ROUNDS = 15;

/** What is bundled; the functions come below. */
const PEERS = { "no function": "peers/nothing.ts", [HELLO]: "peers/hono_hello.ts" };

/** How heavy each function is, and how long it takes to the first answer. */
export const coldStart: Measurement = {
  about: "Bundle size of each function, and the time from the start of a process to its first answer.",
  async run() {
    const folder = await Deno.makeTempDir();
    const functions = functionNames().map((name) => [name, `../supabase/functions/${name}/index.ts`]);
    const entries: [string, Bundle][] = [];
    for (const [name = "", source = ""] of [...Object.entries(PEERS), ...functions]) {
      entries.push([name, await bundle(new URL(source, HERE).pathname, join(folder, name))]);
    }
    const rivals = entries.map(([name, { entry }]) => [name, () => firstAnswer(name, entry)]);
    const found = await interleave<number>(ROUNDS, Object.fromEntries(rivals));
    const rows = await Promise.all(entries.map(async ([name, { atStart }]) => {
      const times = found[name]!;
      return [
        name,
        figure(atStart.length / 1_000),
        figure((await gzipped(atStart)) / 1_000),
        figure(Math.min(...times)),
        figure(median(times)),
        ratio(median(times), median(found[HELLO]!)),
      ];
    }));
    await Deno.remove(folder, { recursive: true });
    return [{
      title: "Per function",
      columns: ["function", "bundle, kB", "gzip, kB", "best, ms", "median, ms", "ratio"],
      rows,
      notes: [
        "`deno bundle --minify --code-splitting`; what is imported only when asked for (the OpenAPI writer, the mail client) is neither in the size nor run.",
        `Times are wall time of a whole process in ${ROUNDS} interleaved rounds, without V8's code cache; the first line is what the runtime alone takes. The request is one that no route serves.`,
      ],
    }];
  },
};

async function firstAnswer(name: string, path: string): Promise<number> {
  const startedAt = performance.now();
  const url = `http://127.0.0.1/${name.replaceAll(" ", "-")}/nowhere`;
  await deno(["run", "-A", "--no-config", "--no-lock", "--no-check", "--no-code-cache", FIRST_ANSWER, path, url]);
  return performance.now() - startedAt;
}

async function deno(args: string[]): Promise<void> {
  const env = developmentSettings("http://127.0.0.1:54321", "");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, env, stdout: "null" }).output();
  if (!success) throw new Error(`deno ${args[0]} failed\n${new TextDecoder().decode(stderr)}`);
}

async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const gzip = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(gzip).arrayBuffer()).byteLength;
}
