import { prepareDatabase } from "../../scripts/stack/bootstrap.ts";
import { localTarget, MIGRATIONS, type Target, withConnection } from "../../scripts/stack/database.ts";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { connect, SUPERUSER, urlOf } from "../../scripts/stack/connection.ts";
import { clusterPort, createTestDatabase, type TestDatabase } from "./database.ts";

/** What a project grants on new tables and functions before the first migration: nothing (new ones), all (old ones). */
export const BOOT_MODES = ["revoked", "legacy"] as const;
export type BootMode = (typeof BOOT_MODES)[number];

const LEGACY_DEFAULTS = `
  alter default privileges for role postgres in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges for role postgres in schema public grant all on functions to anon, authenticated, service_role;
  alter default privileges for role postgres in schema public grant all on sequences to anon, authenticated, service_role`;

/** A migrated database of a project of that kind. */
export async function createDatabaseOf(mode: BootMode): Promise<TestDatabase> {
  if (mode === "revoked") return await createTestDatabase();
  const target = await createUnmigratedDatabase();
  await withConnection(target.superuserUrl, (sql) => sql.unsafe(LEGACY_DEFAULTS).simple());
  await withConnection(target.url, (sql) => migrate(sql, MIGRATIONS));
  const sql = connect(target.url);
  await sql`select 1`;
  return { ...target, sql };
}

/** A database as the platform hands it over: roles, extensions and auth, and nothing of ours. */
export async function createUnmigratedDatabase(): Promise<Target> {
  const port = clusterPort();
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await withConnection(urlOf(port, "postgres", SUPERUSER), (sql) => sql.unsafe(`create database ${name}`));
  const target = localTarget(port, name);
  await prepareDatabase(target.superuserUrl, LOCAL_KEYS);
  return target;
}
