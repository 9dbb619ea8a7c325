import { assertEquals, assertNotEquals } from "@std/assert";
import type { Sql } from "postgres";
import { MIGRATIONS } from "../../scripts/stack/database.ts";
import { runFile } from "../../scripts/stack/sql_file.ts";
import { BOOT_MODES, createDatabaseOf } from "../support/boot_modes.ts";
import { prepareAttempts } from "./attempts.ts";
import { definerList, functionMatrix } from "./function_matrix.ts";
import { relationMatrix } from "./relation_matrix.ts";

interface Matrix {
  file: string;
  title: string;
  read: (sql: Sql) => Promise<string>;
  /** A statement that makes the matrix another one. */
  breach: string;
}

const MATRICES: Matrix[] = [
  {
    file: "relations.txt",
    title: "What each role may do on each table and view of public and private, tried. Leaves are out of reach of all.",
    read: relationMatrix,
    breach: "grant update (phone) on public.profiles to authenticated",
  },
  {
    file: "functions.txt",
    title: "Which roles may execute each function of public and private.",
    read: functionMatrix,
    breach: "grant execute on function private.uuid_v7 to anon",
  },
  {
    file: "definer_functions.txt",
    title:
      "SECURITY DEFINER functions that clients may execute. Each says in its first lines why, and checks who asks.",
    read: definerList,
    breach: "alter function private.require_operator security definer",
  },
];

const isRewriting = Deno.env.get("UPDATE_MATRIX") === "1";

for (const mode of BOOT_MODES) {
  const { sql } = await createDatabaseOf(mode);
  // With rows, views run the functions that they call.
  await runFile(sql, new URL("../seed.sql", MIGRATIONS));
  await prepareAttempts(sql);

  for (const { file, title, read, breach } of MATRICES) {
    const path = new URL(file, import.meta.url);
    const matrix = async () =>
      `# ${title}\n# Rewritten by: UPDATE_MATRIX=1 deno task test tests/privileges\n\n${await read(sql)}`;

    Deno.test(`${file} is what is granted (${mode} defaults)`, async () => {
      const found = await matrix();
      if (isRewriting && mode === "revoked") await Deno.writeTextFile(path, found);

      assertEquals(found, await Deno.readTextFile(path));
    });

    if (mode === "revoked") {
      Deno.test(`a breach is seen: ${file}`, async () => {
        await sql.unsafe(breach);

        assertNotEquals(await matrix(), await Deno.readTextFile(path));
      });
    }
  }
}
