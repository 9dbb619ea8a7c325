import postgres, { type Sql } from "postgres";
import { withConnection } from "../../scripts/stack/database.ts";
import { type Accounts, type Ledger, serveLedger } from "../support/ledger_server.ts";

const CONNECTIONS = 8;
const OPENING = 100_000_000;

const [port, url = "", postmaster, kind = ""] = Deno.args;

/** Our ledger by its public door, as the service role; every call has a key of its own, as a client's has. */
function ours(sql: Sql): Ledger {
  return {
    open: (count) => withConnection(url, (owner) => openOurs(owner, count)),
    transfer: (from, to) =>
      sql`select public.wallet_transfer(${from}, ${to}, 1, ${crypto.randomUUID()}) as answer`.then(([row]) => {
        if (row!.answer.code) throw new Error(`refused: ${row!.answer.code}`);
      }),
  };
}

/** Our posting alone, as other parts of the database call it: its reference is known for good, no answer is stored. */
function posting(sql: Sql): Ledger {
  return {
    open: (count) => withConnection(url, (owner) => openOurs(owner, count)),
    transfer: (from, to) =>
      sql`
        select transaction_id from private.post_wallet_transaction(
          'transfer', array[(${from}::uuid, -1, null), (${to}::uuid, 1, null)]::private.wallet_leg[], 'bench', ${crypto.randomUUID()}
        )`,
  };
}

async function openOurs(owner: Sql, count: number): Promise<Accounts> {
  const people = await owner`
    with person as (insert into public.profiles (locale) select 'rw' from generate_series(1, ${count}::int) returning id)
    select (public.open_wallet_account('RWF', person.id)).id from person`;
  const [{ id: guarded } = { id: "" }] = await owner`
    with person as (insert into public.profiles (locale) values ('rw') returning id)
    select (public.open_wallet_account('RWF', person.id, is_busy => true)).id from person`;
  const ids = people.map(({ id }) => id as string);
  await owner`select public.set_wallet_tier(id, 'business') from unnest(${[...ids, guarded]}::uuid[]) as id`;
  await owner`
    select private.post_wallet_transaction('deposit', array(
      select (id, ${OPENING}::bigint, null)::private.wallet_leg from unnest(${ids}::uuid[]) as id
      union all
      select (private.get_platform_account('settlement:bench', 'RWF'), ${
    -OPENING * count
  }::bigint, null)::private.wallet_leg
    ), 'bench', ${`opening ${kind}`})`;
  const [fees] = await owner`select private.get_platform_account('fees', 'RWF') as id`;
  return { people: ids, guarded, unguarded: fees!.id };
}

/** The plain reference; its hot account comes last, so that it is locked the shortest. */
function reference(sql: Sql): Ledger {
  return {
    open: async (count) => {
      const rows = await sql`
        insert into reference_ledger.accounts (balance) select ${OPENING} from generate_series(1, ${
        count + 1
      }::int) returning id`;
      const ids = rows.map(({ id }) => id as string);
      const hot = ids.pop()!;
      return { people: ids, guarded: hot, unguarded: hot };
    },
    transfer: (from, to) => sql`select reference_ledger.transfer(${from}, ${to}, 1)`,
  };
}

const LEDGERS: Record<string, { role: string; of(sql: Sql): Ledger }> = {
  ours: { role: "service_role", of: ours },
  posting: { role: "postgres", of: posting },
  reference: { role: "postgres", of: reference },
};

const { role, of } = LEDGERS[kind]!;
const connection = { options: `-c role=${role}` };
serveLedger(Number(port), Number(postmaster), of(postgres(url, { max: CONNECTIONS, onnotice: () => {}, connection })));
