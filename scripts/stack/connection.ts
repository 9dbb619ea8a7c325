import postgres, { type Sql } from "postgres";

/** Postgres' superuser is `supabase_admin`, as on the platform: migrations run as the lesser `postgres`. */
export const SUPERUSER = "supabase_admin";
export const PASSWORD = "postgres";

/** The URL of a database on the local cluster. */
export function urlOf(port: number, database = "postgres", user = "postgres"): string {
  return `postgresql://${user}:${PASSWORD}@127.0.0.1:${port}/${database}`;
}

/** A small pool that speaks up only by throwing. */
export function connect(url: string, options: postgres.Options<Record<string, never>> = {}): Sql {
  return postgres(url, { max: 1, onnotice: () => {}, ...options });
}
