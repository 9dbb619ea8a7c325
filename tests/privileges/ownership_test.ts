import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../support/database.ts";

/** How to try a table whose rows belong to people. */
interface OwnedTable {
  /** The columns and values of a row of that person, as a client writes them. */
  row: (userId: string) => Record<string, string>;
  /** The column that names the owner. */
  owner: string;
  /** What an owner may change. */
  change: string;
}

/** Every table that clients can reach; a new one is missed by the first test below. */
const OWNED: Record<string, OwnedTable> = {
  "public.profiles": {
    row: (userId) => ({ user_id: userId, full_name: "Aline" }),
    owner: "user_id",
    change: "full_name = 'Somebody else'",
  },
};

/** Tables that clients may only read, and only their own rows of: how a row of a profile is made. */
const READ_ONLY: Record<string, (sql: TransactionSql, profileId: string) => Promise<unknown>> = {
  "public.locations": (sql, profile_id) =>
    sql`select public.save_location('home', -1.9441, 30.0619, owner_id => ${profile_id})`,
  "public.notifications": (sql, profile_id) => insert(sql, "public.notifications", { profile_id, ...NOTIFICATION }),
  "public.notification_preferences": (sql, profile_id) =>
    insert(sql, "public.notification_preferences", {
      profile_id,
      category: "trip",
      channel: "sms",
      is_enabled: "false",
    }),
  "public.notification_settings": (sql, profile_id) => insert(sql, "public.notification_settings", { profile_id }),
  "public.payment_methods": (sql, profile_id) =>
    sql`select public.add_payment_method('mtn_momo', '+250788000001', null, ${profile_id})`,
  "public.push_endpoints": (sql, profile_id) =>
    sql`insert into public.push_endpoints (profile_id, service, address)
      values (${profile_id}, 'expo', ${sql.json({ token: "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]" })})`,
  "public.transactions": async (sql, profile_id) => {
    await openWallet(sql, profile_id);
    await sql`
      select public.create_transaction('top_up', 500, 'RWF', 'mtn_momo', 'top-up-1', account.id, phone => '+250788000001')
      from public.wallet_accounts as account where account.profile_id = ${profile_id}`;
  },
  "public.wallet_accounts": openWallet,
  "public.wallet_balances": openWallet,
  "public.wallet_holds": async (sql, profile_id) => {
    await openWallet(sql, profile_id);
    await sql`
      insert into public.wallet_holds (account_id, currency, amount, source, reference, request, expires_at)
      select id, currency, 5, 'test', 'hold-1', '{}', now() + interval '1 hour' from public.wallet_accounts`;
  },
};

/** Tables that everybody who has signed in may read, and no client may write. */
const SHARED = [
  "public.currencies",
  "public.notification_categories",
  "public.payment_channels",
  "public.transaction_moves",
  "public.wallet_fees",
  "public.wallet_limits",
];

const NOTIFICATION = { category: "trip", body: "Hello", locale: "rw", priority: "5", is_critical: "false" };
const NOTHING = 0;
const FORBIDDEN = "42501";
const REACHABLE = [...Object.keys({ ...OWNED, ...READ_ONLY }), ...SHARED].sort();
const database = await createTestDatabase();

Deno.test(
  "every table that clients can reach has a case here",
  rolledBack(database, async (sql) => assertEquals(await reachable(sql), REACHABLE)),
);

Deno.test(
  "a breach is seen: a table that clients can reach without a case",
  rolledBack(database, async (sql) => {
    await sql`grant select on public.whatsapp_messages to authenticated`;

    assertEquals(await reachable(sql), [...REACHABLE, "public.whatsapp_messages"].sort());
  }),
);

for (const [name, table] of Object.entries(OWNED)) {
  Deno.test(
    `people write, see and change their own rows of ${name}`,
    rolledBack(database, async (sql) => {
      const me = await person(sql);

      await asPerson(sql, me, (client) => insert(client, name, table.row(me)));

      assertEquals(await asPerson(sql, me, (client) => count(client, name)), 1);
      assertEquals(await asPerson(sql, me, (client) => update(client, name, table)), 1);
    }),
  );

  Deno.test(
    `nobody sees, changes, deletes or forges another's row of ${name}`,
    rolledBack(database, async (sql) => {
      const [me, other] = [await person(sql), await person(sql)];
      await insert(sql, name, table.row(other));

      assertEquals(await asPerson(sql, me, (client) => count(client, name)), NOTHING);
      assertEquals(await asPerson(sql, me, (client) => update(client, name, table)), NOTHING);
      assertEquals(await asPerson(sql, me, (client) => remove(client, name)), NOTHING);
      await sql.unsafe(`delete from ${name} where ${table.owner} = $1`, [other]);
      const forged = await asPerson(sql, me, (client) => sqlStateOf(client, (c) => insert(c, name, table.row(other))));
      assertEquals(forged, FORBIDDEN);
    }),
  );

  Deno.test(
    `a visitor without a token reaches no row of ${name}`,
    rolledBack(database, async (sql) => {
      await insert(sql, name, table.row(await person(sql)));

      assertEquals(await as(sql, "anon", {}, (client) => count(client, name)), NOTHING);
    }),
  );
}

for (const [name, create] of Object.entries(READ_ONLY)) {
  Deno.test(
    `people see their own rows of ${name}, nobody else's, and write none`,
    rolledBack(database, async (sql) => {
      const [me, other] = [await person(sql), await person(sql)];
      const [profile] = await sql`insert into public.profiles (user_id) values (${me}) returning id`;
      await create(sql, profile!.id);

      assertEquals(await asPerson(sql, me, (client) => count(client, name)), 1);
      assertEquals(await asPerson(sql, other, (client) => count(client, name)), NOTHING);
      const [first] = await sql`select attname from pg_attribute where attrelid = ${name}::regclass and attnum = 1`;
      for (const statement of [`delete from ${name}`, `update ${name} set ${first!.attname} = default`]) {
        assertEquals(await asPerson(sql, me, (c) => sqlStateOf(c, (inner) => inner.unsafe(statement))), FORBIDDEN);
      }
      assertEquals(await as(sql, "anon", {}, (client) => count(client, name)), NOTHING);
    }),
  );
}

async function openWallet(sql: TransactionSql, profileId: string): Promise<void> {
  await sql`insert into public.wallet_accounts (profile_id, code, currency, type) values (${profileId}, 'main', 'RWF', 'liability')`;
}

/** Tables on which a client role has any right, or which have a policy for one. */
async function reachable(sql: TransactionSql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct format('%I.%I', c.relnamespace::regnamespace::text, c.relname) as name
    from pg_class as c
    cross join (values ('anon'), ('authenticated')) as role (name)
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
      and (has_any_column_privilege(role.name, c.oid, 'select, insert, update') or has_table_privilege(role.name, c.oid, 'delete')
        or exists (select from pg_policy as p where p.polrelid = c.oid and p.polroles && array[role.name::regrole::oid]))
    order by 1`;
  return rows.map(({ name }) => name);
}

async function person(sql: TransactionSql): Promise<string> {
  const id = crypto.randomUUID();
  await sql`insert into auth.users (id) values (${id})`;
  return id;
}

function asPerson<T>(sql: TransactionSql, sub: string, work: (client: TransactionSql) => Promise<T>): Promise<T> {
  return as(sql, "authenticated", { sub }, work);
}

async function insert(sql: TransactionSql, name: string, row: Record<string, string>): Promise<void> {
  await sql`insert into ${sql(name)} ${sql(row)}`;
}

/** How many rows this client sees; none where it may not look. */
function count(sql: TransactionSql, name: string): Promise<number> {
  return affected(sql, `select from ${name}`);
}

function update(sql: TransactionSql, name: string, { change }: OwnedTable): Promise<number> {
  return affected(sql, `update ${name} set ${change}`);
}

function remove(sql: TransactionSql, name: string): Promise<number> {
  return affected(sql, `delete from ${name}`);
}

async function affected(sql: TransactionSql, statement: string): Promise<number> {
  let rows = NOTHING;
  const state = await sqlStateOf(sql, async (inner) => void (rows = (await inner.unsafe(statement)).count));
  if (state !== "00000" && state !== FORBIDDEN) throw new Error(`${statement} failed with ${state}`);
  return rows;
}
