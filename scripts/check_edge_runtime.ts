import { dirname, fromFileUrl, join } from "@std/path";
import { bundle } from "./source/bundle.ts";
import { type SourceFile, sourceFiles } from "./source/files.ts";
import { importsOf } from "./source/text.ts";
import { functionNames } from "./stack/functions.ts";

/** What the platform runs functions on (supabase/edge-runtime, DENO_VERSION). */
const PLATFORM_DENO = "2.1.4";
const ROOT = fromFileUrl(new URL("../", import.meta.url));

/**
 * Checks the functions and shared with the platform's Deno, runs there the tests that need no stack, and bundles each
 * function. All in a copy, because that Deno reads neither our lockfile nor all of deno.json.
 */
const copy = await Deno.makeTempDir({ prefix: "edge-runtime-" });
try {
  const files = await copiedFiles(copy);
  const paths = files.map(({ path }) => path);
  await platformDeno(["check", "--quiet", ...paths.filter((path) => !/^(tests|scripts)\//.test(path))]);
  await platformDeno(["test", "-A", "--quiet", "--no-check", ...paths.filter((path) => path.endsWith("_test.ts"))]);
  for (const name of functionNames()) console.log(await bundled(name));
} finally {
  await Deno.remove(copy, { recursive: true });
}

/** Copies what runs on the platform, and the tests that touch nothing else. */
async function copiedFiles(folder: string): Promise<SourceFile[]> {
  const edge = await sourceFiles("shared", "supabase/functions");
  const types = { path: "shared/db/database.types.ts", text: await read("shared/db/database.types.ts") };
  const tests = new Map((await sourceFiles("tests", "scripts/fakes")).map((file) => [file.path, file]));
  const roots = [...tests.values()].filter(({ path }) => path.endsWith("_test.ts"));
  const needed = roots.flatMap((root) => closureOf(root, tests) ?? []);
  const files = [...new Set([...edge, types, ...needed])];
  for (const { path, text } of files) {
    await Deno.mkdir(join(folder, dirname(path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
  await Deno.writeTextFile(join(folder, "deno.json"), await adaptedConfig(files));
  // Tests compare them with what they list.
  await Deno.mkdir(join(folder, "docs"));
  for (const page of ["docs/payment_providers.md", "docs/whatsapp.md"]) {
    await Deno.writeTextFile(join(folder, page), await read(page));
  }
  return files;
}

/**
 * A test and the test files and fakes that it imports; nothing when one of them imports from elsewhere in the checkout,
 * reads a package's files, for which there is no folder here, or starts processes, which functions cannot.
 */
function closureOf(root: SourceFile, tests: Map<string, SourceFile>): SourceFile[] | undefined {
  const found = new Set([root]);
  for (const { path, text } of found) {
    if (text.includes("import.meta.resolve(") || text.includes("new Deno.Command(")) return undefined;
    for (const target of importsOf(text, path)) {
      if (/^(shared|supabase\/functions)\//.test(target)) continue;
      const file = tests.get(target);
      if (!file) return undefined;
      found.add(file);
    }
  }
  return [...found];
}

/** deno.json with the imports that are used here alone, so that nothing else is fetched. */
async function adaptedConfig(files: SourceFile[]): Promise<string> {
  const { imports, compilerOptions } = JSON.parse(await read("deno.json"));
  const used = files.flatMap(({ text }) => importsOf(text));
  const kept = Object.entries(imports)
    .filter(([name]) =>
      used.some((specifier) => specifier === name || (name.endsWith("/") && specifier.startsWith(name)))
    );
  return JSON.stringify({ imports: Object.fromEntries(kept), compilerOptions, nodeModulesDir: "none" });
}

async function platformDeno([command, ...args]: string[]): Promise<void> {
  console.log(`deno@${PLATFORM_DENO} ${command}`);
  const { success } = await new Deno.Command("npx", {
    args: ["-y", `deno@${PLATFORM_DENO}`, command!, "--no-lock", ...args],
    cwd: copy,
    // That Deno asks the system about certificates only when it is told to.
    env: { npm_config_loglevel: "error", NO_COLOR: "1", DENO_TLS_CA_STORE: "mozilla,system" },
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error(`deno@${PLATFORM_DENO} ${command} failed`);
}

/** Bundles a function, and says how large it becomes. */
async function bundled(name: string): Promise<string> {
  const { atStart, inAll } = await bundle(`supabase/functions/${name}/index.ts`, join(copy, `${name}.bundle`));
  const gzipped = new Response(new Blob([atStart]).stream().pipeThrough(new CompressionStream("gzip")));
  const [start, small, all] = [atStart.length, (await gzipped.bytes()).length, inAll.length].map((size) =>
    Math.round(size / 1024)
  );
  return `${name}: ${start} KiB at start, ${small} KiB gzipped; ${all} KiB in all`;
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path));
}
