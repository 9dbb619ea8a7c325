import type { EdgeFunction } from "./gateway.ts";

const FOLDER = new URL("../../supabase/functions/", import.meta.url);

/** The names of all edge functions: folders with an index.ts, but for those that begin with an underscore. */
export function functionNames(): string[] {
  return [...Deno.readDirSync(FOLDER)]
    .filter((entry) => entry.isDirectory && !entry.name.startsWith("_"))
    .map((entry) => entry.name)
    .sort();
}

/** Loads every edge function as the edge runtime does: the default export of its index.ts. */
export async function loadFunctions(): Promise<Record<string, EdgeFunction>> {
  const loaded = functionNames().map(async (name): Promise<[string, EdgeFunction]> => {
    const module = await import(new URL(`${name}/index.ts`, FOLDER).href);
    return [name, module.default];
  });
  return Object.fromEntries(await Promise.all(loaded));
}
