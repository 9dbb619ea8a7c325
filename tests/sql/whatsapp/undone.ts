import type { TransactionSql } from "postgres";

/** Does work in a transaction and takes it back. */
export async function undone(sql: TransactionSql, work: (inner: TransactionSql) => Promise<void>): Promise<void> {
  const undo = new Error("undo");
  await sql.savepoint(async (inner) => {
    await work(inner);
    throw undo;
  }).catch((thrown) => {
    if (thrown !== undo) throw thrown;
  });
}
