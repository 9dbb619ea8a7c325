import type { Sql } from "postgres";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { append, type Draft, type Receipt, untilReadable } from "./events.ts";

/** What a call of `run_subscriptions()` says. */
export interface Run {
  done: number;
  failed: number;
  more: boolean;
}

/** A row of `event_subscriptions`, as far as tests look at it. */
export interface Subscription {
  status: string;
  after_transaction_id: string;
  after_position: string;
  attempt_count: number;
  retry_at: Date | null;
  leased_until: Date | null;
  last_error: string | null;
}

/** A database with a read model `public.moves` and the subscription `moves` that fills it. */
export interface Scene extends TestDatabase {
  /** Appends and waits until it shows. */
  happen(...drafts: Draft[]): Promise<Receipt[]>;
}

/** What the handler does with events whose payload asks for trouble. */
const HANDLER = `
  create table public.moves (number bigint generated always as identity, stream text, version bigint, batch_size integer, correlation_id text);
  create table public.seats (taken integer constraint seats_are_few check (taken < 3));
  create table public.deferred (id integer constraint deferred_pkey primary key deferrable initially deferred);
  create function private.project_moves(events public.event_store[]) returns void language plpgsql set search_path = '' as $$
  declare
    v_event public.event_store;
  begin
    foreach v_event in array events loop
      insert into public.moves (stream, version, batch_size, correlation_id)
      values (v_event.aggregate_id, v_event.version, cardinality(events), private.correlation_id());
      if v_event.payload ? 'poison' and not exists (select from public.seats) then
        raise exception 'poisoned';
      end if;
      if v_event.payload ? 'doubled' then
        insert into public.deferred values (1), (1);
      end if;
      if v_event.payload ? 'slow' then
        perform pg_sleep(60);
      end if;
    end loop;
  end;
  $$`;

/** Makes a scene, with the subscription registered as these arguments say. */
export async function createScene(registration = ""): Promise<Scene> {
  const database = await createTestDatabase();
  // Those that the suite itself has would take their turns.
  await database.sql`delete from public.event_subscriptions`;
  await database.sql.unsafe(HANDLER).simple();
  await database.sql.unsafe(
    `select private.register_subscription('moves', 'private.project_moves(public.event_store[])'${registration})`,
  );
  return { ...database, happen: (...drafts) => happen(database.sql, ...drafts) };
}

/** Heals the poison: what failed on it succeeds from now on. */
export async function heal(sql: Sql): Promise<void> {
  await sql`insert into public.seats values (1)`;
}

/** Appends events one by one, and waits until they show. */
export async function happen(sql: Sql, ...drafts: Draft[]): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for (const fields of drafts) receipts.push(await append(sql, fields));
  await untilReadable(sql);
  return receipts;
}

/** Calls `run_subscriptions()` once. */
export async function run(sql: Sql, maxCount = 100): Promise<Run> {
  const [row] = await sql<{ run: Run }[]>`select public.run_subscriptions(${maxCount}) as run`;
  return row!.run;
}

/** Calls it until it says that nothing is left, and skips the waiting before attempts. */
export async function runAll(sql: Sql): Promise<Omit<Run, "more">> {
  const total = { done: 0, failed: 0 };
  for (let more = true; more;) {
    await sql`update public.event_subscriptions set retry_at = null`;
    const said = await run(sql);
    total.done += said.done;
    total.failed += said.failed;
    more = said.more;
  }
  return total;
}

/** What the read model holds, as `stream + version`, in the order in which it came. */
export async function moves(sql: Sql): Promise<string[]> {
  const rows = await sql`select stream || version as move from public.moves order by number`;
  return rows.map(({ move }) => move);
}

/** What is parked, as `stream + version`, in the order of the whole. */
export async function parked(sql: Sql): Promise<string[]> {
  const rows =
    await sql`select aggregate_id || version as event from public.event_parked order by transaction_id, position`;
  return rows.map(({ event }) => event);
}

/** The subscription of a scene. */
export async function subscription(sql: Sql, name = "moves"): Promise<Subscription> {
  const [row] = await sql<Subscription[]>`select * from public.event_subscriptions where name = ${name}`;
  return row!;
}

/** Calls a function as an API client would: as the service role, or as an operator. */
export async function callAs(
  sql: Sql,
  role: "service_role" | "authenticated",
  call: string,
  isOperator = true,
): Promise<unknown> {
  const claims = {
    role,
    sub: "00000000-0000-0000-0000-000000000001",
    app_metadata: isOperator ? { role: "operator" } : {},
  };
  return await sql.begin(async (sql) => {
    await sql`select set_config('role', ${role}, true), set_config('request.jwt.claims', ${
      JSON.stringify(claims)
    }, true)`;
    const [row] = await sql.unsafe(`select ${call} as answer`);
    return row!.answer;
  });
}
