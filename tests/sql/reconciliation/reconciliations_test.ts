import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { create, reviewsOf, signal, statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, openOwnWallet, openWallet, platformAccount, refusalOf } from "../wallet/wallets.ts";

const database = await createTestDatabase();
const FROM = new Date(Date.now() - 3_600_000);
/** The period of a test ends when it reconciles first. */
const periods = new WeakMap<TransactionSql, string>();
const HEAD = "provider_id,reference,occurred_at,amount,fee,phone";

Deno.test(
  "reconcile_provider_statement() gives every line its class, and the report nets to zero",
  rolledBack(database, async (sql) => {
    const to = await openWallet(sql);
    const [right, other, late, absent] = [
      await paid(sql, to, "m1"),
      await paid(sql, to, "m2"),
      await create(sql, { to }),
      await paid(sql, to, "m4"),
    ];
    const lines = [
      `m1,,${now()},"1,000",10,`,
      `m1,,${now()},"1,000",10,`,
      `m2,,${now()},900.00,0,`,
      `m3,${late.reference},${now()},1000,5,`,
      `m9,,${now()},700,7,`,
    ];

    const run = await reconcile(sql, [HEAD, ...lines].join("\r\n"));

    assertEquals(await classesOf(sql, run), [
      ["m1", "matched", 1000],
      ["m1", "duplicate", 0],
      ["m2", "amount_mismatch", 900],
      ["m3", "matched", 1000],
      ["m9", "missing_internal", 700],
      [null, "missing_external", 1000],
    ]);
    assertEquals(await unexplained(sql, run), [0, 0]);
    assertEquals([await statusOf(sql, right.id), await statusOf(sql, late.id)], ["succeeded", "succeeded"]);
    assertEquals(await suspenseOf(sql), 700 - 100);
    assertEquals((await reviewsOf(sql, other.id)).map(({ kind }) => kind), ["amount_mismatch"]);
    assertEquals((await reviewsOf(sql, absent.id)).map(({ kind }) => kind), ["missing_external"]);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "provider_fees")), 22);
    assertEquals(
      await balanceOf(sql, await platformAccount(sql, "settlement:mtn_momo")),
      1000 + 900 + 1000 + 700 + 1000 - 22,
    );
  }),
);

Deno.test(
  "reconcile_provider_statement() does nothing twice, whatever is read again",
  rolledBack(database, async (sql) => {
    await paid(sql, await openWallet(sql), "m1");
    const csv = [HEAD, `m1,,${now()},1000,10,`, `m9,,${now()},700,0,`].join("\n");
    const run = await reconcile(sql, csv);
    const before = [await classesOf(sql, run), await suspenseOf(sql)];

    await reconcile(sql, csv);
    await reconcile(sql, `${csv}\n`);
    await reconcile(sql, null);

    assertEquals([await classesOf(sql, run), await suspenseOf(sql)], before);
    assertEquals(await unexplained(sql, run), [0, 0]);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "provider_fees")), 10);
  }),
);

Deno.test(
  "reconcile_provider_statement() takes money out of suspense when it turns out to be ours",
  rolledBack(database, async (sql) => {
    const to = await openWallet(sql);
    const run = await reconcile(sql, [HEAD, `m7,,${now()},1000,0,`].join("\n"));
    const suspended = await suspenseOf(sql);
    const payment = await paid(sql, to, "m7");

    await reconcile(sql, null);

    assertEquals([suspended, await suspenseOf(sql), await balanceOf(sql, to)], [1000, 0, 1000]);
    assertEquals(await classesOf(sql, run), [["m7", "matched", 1000]]);
    assertEquals(await statusOf(sql, payment.id), "succeeded");
    assertEquals(await unexplained(sql, run), [0, 0]);
  }),
);

Deno.test(
  "reconcile_provider_statement() finds a late line, and what was missing is no longer",
  rolledBack(database, async (sql) => {
    const payment = await paid(sql, await openWallet(sql), "m1");
    const run = await reconcile(sql, HEAD);
    const missing = await classesOf(sql, run);

    await reconcile(sql, [HEAD, `m1,,${now()},1000,0,`].join("\n"));

    assertEquals([missing, await classesOf(sql, run)], [[[null, "missing_external", 1000]], [["m1", "matched", 1000]]]);
    assertEquals((await reviewsOf(sql, payment.id)).map(({ status }) => status), ["resolved"]);
    assertEquals(await unexplained(sql, run), [0, 0]);
  }),
);

Deno.test(
  "a line without ids is matched by amount, time and number if there is exactly one it could be",
  rolledBack(database, async (sql) => {
    const to = await openWallet(sql);
    const only = await create(sql, { to, amount: 1_100, phone: "+250788000123" });
    for (let twin = 0; twin < 2; twin++) await create(sql, { to, amount: 1_200, phone: "+250788000123" });

    const run = await reconcile(sql, [HEAD, `,,${now()},1100,0,*****123`, `,,${now()},1200,0,*****123`].join("\n"));

    assertEquals((await classesOf(sql, run)).map(([, found]) => found), ["matched", "missing_internal"]);
    assertEquals(await statusOf(sql, only.id), "succeeded");
  }),
);

for (
  const [what, csv] of Object.entries({
    "an open quote": `${HEAD}\nm1,,${now()},"1000,0,`,
    "no headings": "a,b\n1,2",
    "a fraction of a franc": `${HEAD}\nm1,,${now()},10.50,0,`,
    "commas out of place": `${HEAD}\nm1,,${now()},"10,00",0,`,
    "a word for an amount": `${HEAD}\nm1,,${now()},NaN,0,`,
    "no time": `${HEAD}\nm1,,yesterday,10,0,`,
  })
) {
  Deno.test(
    `a statement with ${what} is refused`,
    rolledBack(database, async (sql) => {
      assertEquals(await refusalOf(sql, (sql) => reconcile(sql, csv)), "statement_unreadable");
    }),
  );
}

Deno.test(
  "csv_rows() reads quotes, commas, lines within fields, CRLF and a byte order mark",
  rolledBack(database, async (sql) => {
    const csv = '\ufeffa,"b ""b"", c"\r\n\r\n"d\ne",\n';
    const rows = await sql`select fields from private.csv_rows(${csv}) order by row_number`;

    assertEquals(rows.map(({ fields }) => fields), [["a", 'b "b", c'], ["d\ne", ""]]);
  }),
);

Deno.test(
  "reconcile_provider_statement() and its report are not for everybody",
  rolledBack(database, async (sql) => {
    const userId = await createUser(sql);
    const refusal = await refusalOf(sql, (sql) => asUser(sql, userId, (sql) => reconcile(sql, HEAD)));

    assertEquals(refusal, "operator_required");
  }),
);

Deno.test(
  "a large payout waits for a second person, and for nobody else",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 900_000);
    const second = await operator(sql);
    const payout = await create(sql, {
      type: "payout",
      amount: 300_000,
      from: driver.accountId,
      phone: "+250788000001",
    });
    await sql`update public.payment_attempts set next_check_at = now()`;
    const approve = (userId: string) =>
      refusalOf(sql, (sql) =>
        asUser(sql, userId, (sql) => sql`select public.approve_payout(${payout.id})`, {
          app_metadata: { role: "operator" },
        }));

    const before = await sql`select * from public.claim_payment_attempts()`;
    const nobody = await approve(driver.userId);
    const first = await approve(second);
    const again = await approve(second);
    const after = await sql`select * from public.claim_payment_attempts()`;

    assertEquals([nobody, first, again], ["operator_required", "accepted", "transaction_state_conflict"]);
    assertEquals([before.length, after.length], [0, 1]);
  }),
);

Deno.test(
  "reject_payout() frees what was set aside; whoever is paid decides nothing",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 900_000);
    await sql`insert into private.operators (user_id, reason) values (${driver.userId}, 'on call')`;
    const second = await operator(sql);
    const payout = await create(sql, {
      type: "payout",
      amount: 300_000,
      from: driver.accountId,
      phone: "+250788000001",
    });
    const reject = (userId: string) =>
      refusalOf(
        sql,
        (sql) =>
          asUser(sql, userId, (sql) => sql`select public.reject_payout(${payout.id}, 'unknown number')`, {
            app_metadata: { role: "operator" },
          }),
      );

    assertEquals([await reject(driver.userId), await reject(second)], ["second_person_needed", "accepted"]);
    assertEquals(await statusOf(sql, payout.id), "cancelled");
    const [held] = await sql`select held::float8 from public.wallet_balance(${driver.accountId})`;
    assertEquals(held!.held, 0);
  }),
);

async function paid(sql: TransactionSql, to: string, providerId: string) {
  const payment = await create(sql, { to });
  await signal(sql, payment.id, { provider_id: providerId });
  return payment;
}

async function operator(sql: TransactionSql): Promise<string> {
  const userId = await createUser(sql);
  await sql`insert into private.operators (user_id, reason) values (${userId}, 'on call')`;
  return userId;
}

/** A minute ago: before the period of every test is over. */
function now(): string {
  return new Date(FROM.getTime() + 3_540_000).toISOString();
}

async function reconcile(sql: TransactionSql, csv: string | null): Promise<string> {
  const [row] = await sql`
    select public.reconcile_provider_statement(
      'mtn_momo', 'RWF', ${FROM}, ${await periodOf(sql)}::text::timestamptz, ${csv}, format => 'plain'
    ) as id`;
  return row!.id;
}

async function periodOf(sql: TransactionSql): Promise<string> {
  const [clock] = await sql`select clock_timestamp()::text as now`;
  const known = periods.get(sql) ?? clock!.now;
  periods.set(sql, known);
  return known;
}

async function classesOf(sql: TransactionSql, run: string) {
  const rows = await sql`
    select provider_ids[1] as id, class, booked_amount::float8 as booked from public.reconciliation_items
    where reconciliation_id = ${run} order by line_number nulls last, id`;
  return rows.map(({ id, class: found, booked }) => [id, found, booked]);
}

async function unexplained(sql: TransactionSql, run: string): Promise<number[]> {
  const rows = await sql`select amount::float8 from public.reconciliation_report(${run}) where name = 'unexplained'`;
  return rows.map(({ amount }) => amount);
}
