import { basename, fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** A function in one folder of files, as the platform would load them. */
export interface Bundle {
  /** What exports the function. */
  entry: string;
  /** The code that a cold start reads. */
  atStart: Uint8Array<ArrayBuffer>;
  /** All of it: also what is imported only when it is asked for. */
  inAll: Uint8Array<ArrayBuffer>;
}

/** Bundles a module of the checkout, what is imported dynamically into files of their own. */
export async function bundle(source: string, folder: string): Promise<Bundle> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--minify", "--code-splitting", "--platform", "deno", `--outdir=${folder}`, source],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`${source} cannot be bundled\n${new TextDecoder().decode(stderr)}`);
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) files.set(name, await Deno.readTextFile(join(folder, name)));
  const entry = `${basename(source, ".ts")}.js`;
  return {
    entry: join(folder, entry),
    atStart: joined(files, staticImports(files, entry)),
    inAll: joined(files, files.keys()),
  };
}

/** A file and all that it imports at once. */
function staticImports(files: Map<string, string>, entry: string): Set<string> {
  const found = new Set([entry]);
  for (const name of found) {
    for (const [, imported] of files.get(name)!.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) found.add(imported!);
  }
  return found;
}

function joined(files: Map<string, string>, names: Iterable<string>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode([...names].map((name) => files.get(name)).join("\n"));
}
