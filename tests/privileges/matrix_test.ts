import { assertEquals, assertNotEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { MIGRATIONS } from "../../scripts/stack/database.ts";
import { runFile } from "../../scripts/stack/sql_file.ts";
import { BOOT_MODES, createDatabaseOf } from "../support/boot_modes.ts";
import { rolledBack } from "../support/database.ts";
import { definerList, functionMatrix } from "./function_matrix.ts";
import { relationMatrix } from "./relation_matrix.ts";

interface Matrix {
  file: string;
  title: string;
  read: (sql: TransactionSql) => Promise<string>;
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
  const database = await createDatabaseOf(mode);
  // With rows, views run the functions that they call.
  await runFile(database.sql, new URL("../seed.sql", MIGRATIONS));

  for (const { file, title, read, breach } of MATRICES) {
    const path = new URL(file, import.meta.url);

    Deno.test(
      `${file} is what is granted (${mode} defaults)`,
      rolledBack(database, async (sql) => {
        const matrix = `# ${title}\n# Rewritten by: UPDATE_MATRIX=1 deno task test tests/privileges\n\n${await read(
          sql,
        )}`;
        if (isRewriting && mode === "revoked") await Deno.writeTextFile(path, matrix);

        assertEquals(matrix, await Deno.readTextFile(path));
      }),
    );

    Deno.test(
      `a breach is seen: ${file} (${mode} defaults)`,
      rolledBack(database, async (sql) => {
        const before = await read(sql);
        await sql.unsafe(breach);

        assertNotEquals(await read(sql), before);
      }),
    );
  }
}
