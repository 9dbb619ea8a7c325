const ROOT = new URL("../../", import.meta.url);

/** One TypeScript file of the checkout. */
export interface SourceFile {
  /** From the root: `shared/http/app.ts` */
  path: string;
  text: string;
}

/** Every TypeScript file below these folders, in a stable order; what is generated is left out. */
export async function sourceFiles(...folders: string[]): Promise<SourceFile[]> {
  const paths = (await Promise.all(folders.map(pathsBelow))).flat().sort();
  return await Promise.all(
    paths.map(async (path) => ({ path, text: await Deno.readTextFile(new URL(path, ROOT)) })),
  );
}

async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(`${folder}/`, ROOT)));
  const nested = entries.map(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return pathsBelow(path);
    return name.endsWith(".ts") && name !== "database.types.ts" ? [path] : [];
  });
  return (await Promise.all(nested)).flat();
}
