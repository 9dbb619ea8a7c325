import type { Sql, TransactionSql } from "postgres";

/** How long a monthly table's leaves stay, in months; without it they stay for good. */
export interface Retention {
  detachAfter: number;
  dropAfter?: number;
}

/** Makes public.<name>, partitioned by month on its id, with all that trips up those who make leaves by hand. */
export async function createMonthlyTable(
  sql: Sql | TransactionSql,
  name: string,
  retention?: Retention,
): Promise<void> {
  await sql.unsafe(`
    create table public.${name} (
      dropped text,
      id uuid not null default private.uuid_v7(),
      position bigint generated always as identity,
      "Note" text not null default 'none',
      created_at timestamptz not null generated always as (private.uuid_v7_time(id)) stored,
      constraint ${name}_pkey primary key (id),
      constraint ${name}_note_is_short check (length("Note") <= 20)
    ) partition by range (id);
    alter table public.${name} drop column dropped;
    create index ${name}_position_idx on public.${name} (position);
    alter table public.${name} enable row level security;
    create function private.refuse_change_of_${name}() returns trigger language plpgsql
      as $$ begin raise 'for good' using errcode = 'insufficient_privilege'; end $$;
    create trigger refuse_change before update or delete on public.${name}
      for each row execute function private.refuse_change_of_${name}();`).simple();
  await manage(sql, name, retention);
}

/** Makes public.<name>, partitioned by month on its reporting day. */
export async function createDailyKeyedTable(sql: Sql | TransactionSql, name: string): Promise<void> {
  await sql.unsafe(`
    create table public.${name} (day date not null, id text not null, constraint ${name}_pkey primary key (day, id))
    partition by range (day);
    alter table public.${name} enable row level security;`).simple();
  await manage(sql, name);
}

async function manage(sql: Sql | TransactionSql, name: string, retention?: Retention): Promise<void> {
  await sql`select private.manage_partitions(${name},
    make_interval(months => ${retention?.detachAfter ?? null}::integer),
    make_interval(months => ${retention?.dropAfter ?? null}::integer))`;
}

/** The name of the leaf of the month that is `ahead` months after this one. */
export async function leafName(sql: Sql | TransactionSql, table: string, ahead: number): Promise<string> {
  const [row] = await sql`
    select ${table}::text || to_char((now() at time zone 'UTC') + make_interval(months => ${ahead}), '_YYYY_MM') as name`;
  return row!.name;
}

/** Takes leaves away, as if nobody had made them in time. */
export async function dropLeaves(sql: Sql | TransactionSql, table: string, ...ahead: number[]): Promise<void> {
  for (const months of ahead) await sql.unsafe(`drop table partitions.${await leafName(sql, table, months)}`);
}

/** Makes the leaf of a month that is over. */
export async function createPastLeaf(sql: Sql | TransactionSql, table: string, monthsAgo: number): Promise<string> {
  await sql`select private.create_partition(${table},
    date_trunc('month', now(), 'UTC') - make_interval(months => ${monthsAgo}))`;
  return await leafName(sql, table, -monthsAgo);
}

/** Puts a row into the middle of the month that is `ahead` months after this one; gives its id. */
export async function insertRow(
  sql: Sql | TransactionSql,
  table: string,
  ahead: number,
  note = "kept",
): Promise<string> {
  const [row] = await sql`
    insert into ${sql(table)} (id, "Note")
    values (private.uuid_v7(date_trunc('month', now(), 'UTC') + make_interval(months => ${ahead}, days => 14)), ${note})
    returning id`;
  return row!.id;
}

/** The names of a table's attached leaves. */
export async function leavesOf(sql: Sql | TransactionSql, table: string): Promise<string[]> {
  const rows = await sql`
    select leaf.relname from pg_inherits join pg_class as leaf on leaf.oid = inhrelid
    where inhparent = ${`public.${table}`}::regclass order by leaf.relname`;
  return rows.map((row) => row.relname);
}
