import { dirname, join } from "@std/path";

/** A top-level export of a file. */
export interface Export {
  name: string;
  isDocumented: boolean;
}

// `deno fmt` keeps imports and exports at the start of a line and specifiers in double quotes.
const STATIC = /^(?:import |(?:import|export) [^;"]*?\bfrom )"([^"]+)";$/gm;
const DYNAMIC = /\bimport\("([^"]+)"\)/g;
const EXPORT = /^export (?:async )?(?:abstract )?(?:function|const|let|class|interface|type|enum) (\w+)/;

/** What a file imports, as written; with its path, only files of the checkout, from the root. */
export function importsOf(text: string, path?: string): string[] {
  const code = withoutComments(text);
  const names = [...code.matchAll(STATIC), ...code.matchAll(DYNAMIC)].map(([, name]) => name!);
  if (path === undefined) return names;
  return names.filter((name) => /^(\.|shared\/)/.test(name))
    .map((name) => name.startsWith(".") ? join(dirname(path), name) : name);
}

/** The part of the design that a file belongs to: a function's folder, a folder of shared, or shared's root. */
export function layerOf(path: string): string {
  const depth = path.startsWith("supabase/") ? 3 : 2;
  const folders = path.split("/").slice(0, -1);
  return folders.slice(0, depth).join("/");
}

/** What a file exports under a name; an overload stands for its implementation. */
export function exportsOf(text: string): Export[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("// deno-lint-ignore"));
  const found = lines.flatMap((line, index): Export[] => {
    const name = EXPORT.exec(line)?.[1];
    return name ? [{ name, isDocumented: lines[index - 1]?.endsWith("*/") ?? false }] : [];
  });
  return found.filter(({ name }, index) => found.findIndex((first) => first.name === name) === index);
}

/** The text without comments that stand on lines of their own. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*)$/gm, "");
}
