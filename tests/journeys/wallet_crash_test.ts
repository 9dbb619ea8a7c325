import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../scripts/stack/connection.ts";
import { temporaryFolder } from "../../scripts/stack/data_folder.ts";
import { localTarget, prepareMigratedDatabase } from "../../scripts/stack/database.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { startPostgres } from "../../scripts/stack/postgres.ts";
import { balanceOf, driftOf, openWallet, platformAccount, transfer } from "../sql/wallet/wallets.ts";
import { until } from "../support/until.ts";

const CLIENTS = 6;
const CRASHES = 3;
const TRANSFERS_BETWEEN = 60;
const OPENING = 1_000_000;
/** How a client learns that the server is gone, or only just starting. */
const CUT_OFF = /^(57P0\d|CONNECTION_\w+|E[A-Z]+)$/;

/** A transfer that a client was told of. */
interface Acknowledged {
  key: string;
  from: number;
  to: number;
  amount: number;
  id: string;
}

Deno.test({
  name: "transfers acknowledged while Postgres is killed again and again are there afterwards, and none twice",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const options = { folder: `${temporaryFolder()}-wallet-${crypto.randomUUID().slice(0, 8)}`, port: freePort() };
    let postgres = await startPostgres(options);
    const { url } = localTarget(options.port);
    await prepareMigratedDatabase(localTarget(options.port));
    const accounts = await openAccounts(url);
    const acknowledged: Acknowledged[] = [];
    const storm = { isOver: false, cutOff: 0 };
    try {
      const clients = Array.from({ length: CLIENTS }, (_, lane) => pay(url, accounts, lane, acknowledged, storm));
      for (let crashes = 0; crashes < CRASHES; crashes++) {
        const before = acknowledged.length;
        await until(() => acknowledged.length >= before + TRANSFERS_BETWEEN, "transfers are acknowledged");
        await postgres.stop("SIGKILL");
        postgres = await startPostgres(options);
      }
      storm.isOver = true;
      await Promise.all(clients);

      assert(storm.cutOff > 0, "the crashes were felt");
      await assertAllOnce(url, accounts, acknowledged);
    } finally {
      storm.isOver = true;
      await postgres.stop();
      await Deno.remove(options.folder, { recursive: true });
    }
  },
});

/** Four wallets, and an account of ours that all pay into. */
async function openAccounts(url: string): Promise<string[]> {
  const sql = connect(url);
  const wallets = [];
  for (let index = 0; index < 4; index++) wallets.push(await openWallet(sql, { balance: OPENING }));
  const fees = await platformAccount(sql, "fees");
  await sql.end();
  return [...wallets, fees];
}

/** A client that repeats what it was not told of, under the same key, until it is. */
async function pay(
  url: string,
  accounts: string[],
  lane: number,
  acknowledged: Acknowledged[],
  storm: { isOver: boolean; cutOff: number },
): Promise<void> {
  let sql = connect(url, { fetch_types: false });
  for (let number = 0; !storm.isOver; number++) {
    const [from, key, amount] = [(lane + number) % 4, `${lane}-${number}`, 1 + number % 9];
    const to = number % 3 === 0 ? 4 : (from + 1) % 4;
    for (let id; id === undefined;) {
      try {
        id = (await transfer(sql, accounts[from]!, accounts[to]!, amount, key)).transaction_id;
        if (id) acknowledged.push({ key, from, to, amount, id });
      } catch (error) {
        assertMatch((error as { code: string }).code, CUT_OFF);
        storm.cutOff++;
        await sql.end({ timeout: 0 }).catch(() => {});
        sql = connect(url, { fetch_types: false });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
  await sql.end();
}

async function assertAllOnce(url: string, accounts: string[], acknowledged: Acknowledged[]): Promise<void> {
  const sql = connect(url);
  const posted = await sql`select id from public.wallet_transactions where kind = 'transfer' order by id`;
  assertEquals(posted.map(({ id }) => id), acknowledged.map(({ id }) => id).toSorted());

  // A day later the stored answers are gone; the ledger knows the keys for good.
  await sql`delete from public.idempotency_keys`;
  for (const { key, from, to, amount, id } of acknowledged.filter((_, index) => index % 7 === 0)) {
    assertEquals((await transfer(sql, accounts[from]!, accounts[to]!, amount, key)).transaction_id, id);
  }

  const balances = [...Array(4).fill(OPENING), 0];
  for (const { from, to, amount } of acknowledged) {
    balances[from] -= amount;
    balances[to] += amount;
  }
  for (const [index, account] of accounts.entries()) assertEquals(await balanceOf(sql, account), balances[index]);
  assertEquals((await sql`select private.verify_wallet_ledger()::int as findings`)[0]!.findings, 0);
  assertEquals(await driftOf(sql), []);
  await sql.end();
}
