import { assert, assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../support/database.ts";
import { type Page, readPages } from "./pages.ts";

const database = await createTestDatabase();

/** Schemas of extensions that only the platform has, and what must not run beside other tests. */
const ELSEWHERE = /\b(net|cron|vault)\.|pg_terminate_backend|^\s*begin;/m;
const SOME_ID = "00000000-0000-7000-8000-000000000000";

/** The SQL of a page that can run here: fenced blocks, and queries within sentences and tables. Placeholders become an id. */
function sqlOf({ text }: Page): string[] {
  const blocks = [...text.matchAll(/^```sql\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
  const queries = [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/`(select [^`]+?)`/g)].map(([, query]) =>
    query!
  );
  return [...blocks, ...queries]
    .filter((statement) => !ELSEWHERE.test(statement))
    .map((statement) => statement.replaceAll(/'(\.\.\.|<[^>']+>)'/g, `'${SOME_ID}'`).replaceAll("\\|", "|"));
}

/** Whether an error says that the statement itself is wrong: syntax, or a name or type that is not there (class 42). */
function isWrong(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? "";
  return code.startsWith("42") && code !== "42501";
}

const OPERATED = ["docs/runbook.md", "docs/data_protection.md", "docs/deploy.md"];

Deno.test(
  "the SQL of the pages for operators names what is there",
  rolledBack(database, async (sql) => {
    const wrong: string[] = [];
    const pages = (await readPages()).filter((page) => OPERATED.includes(page.path));

    let count = 0;
    for (const page of pages) {
      for (const statement of sqlOf(page)) {
        count++;
        await sql.savepoint((inner) => inner.unsafe(statement)).catch((error) => {
          if (isWrong(error)) wrong.push(`${page.path}: ${statement}: ${(error as Error).message}`);
        });
      }
    }

    assertEquals(wrong, []);
    assert(count > 40, "the pages' SQL was found");
  }),
);
