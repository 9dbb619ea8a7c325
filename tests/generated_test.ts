import { assertEquals } from "@std/assert";
import { type Files, generatedDocs, staleFiles, writeFiles } from "../scripts/generate/files.ts";
import { settingsExample } from "../scripts/generate/settings_example.ts";
import { SETTINGS } from "../shared/env.ts";
import { createTestDatabase } from "./support/database.ts";

const ROOT = new URL("../", import.meta.url);
const database = await createTestDatabase();

Deno.test("docs/database.md, docs/errors.md, docs/api and .env.example are what `deno task generate` writes", async () => {
  const stale = await staleFiles(await generatedDocs(database, ROOT), ROOT);

  assertEquals(Object.keys(stale), []);
});

Deno.test("generatedDocs() gives the same bytes twice", async () => {
  assertEquals(await generatedDocs(database, ROOT), await generatedDocs(database, ROOT));
});

Deno.test("staleFiles() names what has changed, what is missing and what should be gone", async () => {
  const root = new URL(`file://${await Deno.makeTempDir()}/`);
  await writeFiles({ "fresh.md": "as it was", "changed.md": "as it was", "api/gone.json": "{}" }, root);
  const files: Files = { "fresh.md": "as it was", "changed.md": "new", "missing.md": "new", "api/gone.json": null };

  const stale = await staleFiles(files, root);
  await writeFiles(stale, root);

  assertEquals(Object.keys(stale), ["changed.md", "missing.md", "api/gone.json"]);
  assertEquals(await staleFiles(files, root), {});
  await Deno.remove(root, { recursive: true });
});

Deno.test(".env.example names every setting once, each below its explanation", () => {
  const named = [...settingsExample().matchAll(/^# (.+)\n(?:# )?([A-Z_]+)=$/gm)]
    .map(([, explanation, name]) => [name, explanation]);

  assertEquals(named, Object.entries(SETTINGS));
});
