import type { Target } from "../stack/database.ts";
import { databaseDocs } from "./database/docs.ts";
import { errorDocs } from "./error_docs.ts";
import { openApiDocuments } from "./openapi_documents.ts";
import { settingsExample } from "./settings_example.ts";
import { suiteDocument, suiteModule } from "./suite_document.ts";

/** Path from the root -> content; null means that the file should not be there. */
export type Files = Record<string, string | null>;

const API_FOLDER = "docs/api/";

/** Everything that is made from the migrations and the functions, but for the types, which take the Supabase CLI. */
export async function generatedDocs(target: Pick<Target, "url">, root: URL): Promise<Files> {
  const byFunction = await openApiDocuments();
  const documents = Object.entries(byFunction);
  const suite = suiteDocument(byFunction);
  return {
    ...await absent(API_FOLDER, root),
    ...Object.fromEntries(documents.map(([name, document]) => [`${API_FOLDER}${name}.json`, document])),
    [`${API_FOLDER}suite.json`]: `${JSON.stringify(suite, null, 2)}\n`,
    "supabase/functions/operations/suite_document.ts": suiteModule(suite),
    "docs/database.md": await databaseDocs(target),
    "docs/errors.md": await errorDocs(target),
    ".env.example": settingsExample(),
  };
}

/** Of these files, those that are not what they should be. */
export async function staleFiles(files: Files, root: URL): Promise<Files> {
  const pairs = await Promise.all(
    Object.entries(files).map(async ([path, wanted]) =>
      [path, wanted, await Deno.readTextFile(new URL(path, root)).catch(() => null)] as const
    ),
  );
  return Object.fromEntries(pairs.filter(([, wanted, found]) => wanted !== found));
}

/** Makes the files what they should be. */
export async function writeFiles(files: Files, root: URL): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = new URL(path, root);
    await Deno.mkdir(new URL("./", file), { recursive: true });
    await (content === null ? Deno.remove(file) : Deno.writeTextFile(file, content));
  }
}

/** The files of a folder, as if none should be there. */
async function absent(folder: string, root: URL): Promise<Files> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, root))).catch(() => []);
  return Object.fromEntries(entries.map(({ name }) => [folder + name, null]));
}
