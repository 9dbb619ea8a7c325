import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { create, reviewsOf, statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, openWallet, platformAccount, refusalOf } from "../wallet/wallets.ts";
import { classesOf, HEAD, now, paid, reconcile, unexplained } from "./reconciliations.ts";

const database = await createTestDatabase();

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

Deno.test(
  "reconcile_provider_statement() and its report are not for everybody",
  rolledBack(database, async (sql) => {
    const userId = await createUser(sql);
    const refusal = await refusalOf(sql, (sql) => asUser(sql, userId, (sql) => reconcile(sql, HEAD)));

    assertEquals(refusal, "operator_required");
  }),
);

Deno.test(
  "reconcile_provider_statement() puts money that came twice for one payment to suspense, for a person to look at",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });

    const run = await reconcile(
      sql,
      [HEAD, ...["m1", "m2"].map((id) => `${id},${payment.reference},${now()},1000,0,`)].join("\n"),
    );

    assertEquals(await classesOf(sql, run), [["m1", "matched", 1000], ["m2", "duplicate", 1000]]);
    assertEquals(await suspenseOf(sql), 1000);
    assertEquals((await reviewsOf(sql, payment.id)).map(({ kind, amount }) => [kind, amount]), [["ambiguous", 1000]]);
    assertEquals(await unexplained(sql, run), [0, 0]);
  }),
);

Deno.test(
  "reconciliation_report() says by how much the balances of the statement are not ours",
  rolledBack(database, async (sql) => {
    await paid(sql, await openWallet(sql), "m1");

    const run = await reconcile(sql, [HEAD, `m1,,${now()},1000,0,`].join("\n"), { opening: 100, closing: 1085 });

    const rows =
      await sql`select name, amount::float8 from public.reconciliation_report(${run}) where section = 'balance'`;
    assertEquals(rows.map(({ name, amount }) => [name, amount]), [
      ["opening_difference", 100],
      ["closing_difference", 85],
      ["not_on_the_statement_s_lines", -15],
    ]);
  }),
);

Deno.test(
  "reconciliation_csv() opens in a spreadsheet without running what a provider wrote",
  rolledBack(database, async (sql) => {
    const run = await reconcile(sql, [HEAD, `"=HYPERLINK(""x"")",,${now()},700,0,`].join("\n"));

    const [row] = await sql`select public.reconciliation_csv(${run}) as csv`;

    const [head, line] = row!.csv.split("\r\n");
    assertEquals(head.split(",").slice(0, 5), ["line", "class", "matched_by", "occurred_at", "provider_id"]);
    assertEquals(line.includes(`,"'=HYPERLINK(""x"")",`), true);
  }),
);
