import { assertEquals } from "@std/assert";
import { connect } from "../../scripts/stack/connection.ts";
import { temporaryFolder } from "../../scripts/stack/data_folder.ts";
import { localTarget, prepareMigratedDatabase } from "../../scripts/stack/database.ts";
import { freePort } from "../../scripts/stack/port.ts";
import { startPostgres } from "../../scripts/stack/postgres.ts";
import { get, lease, put } from "../sql/cache/caching.ts";

Deno.test({
  name: "after Postgres was killed the cache and the map of drivers are empty, and work on",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const options = { folder: `${temporaryFolder()}-unlogged-${crypto.randomUUID().slice(0, 8)}`, port: freePort() };
    let postgres = await startPostgres(options);
    try {
      const target = localTarget(options.port);
      await prepareMigratedDatabase(target);
      const before = connect(target.url);
      const [driver] = await before`insert into public.profiles (full_name) values ('A driver') returning id`;
      await before`select public.update_driver_position(${driver!.id}, -1.9441, 30.0619)`;
      await put(before, "kept", 1);
      const { lease_token } = await lease(before, "leased");
      await postgres.stop("SIGKILL");
      postgres = await startPostgres(options);
      await before.end({ timeout: 0 }).catch(() => {});

      const sql = connect(target.url);
      assertEquals(await get(sql, "kept"), null);
      assertEquals((await sql`select * from public.find_nearby_locations(-1.9441, 30.0619)`).length, 0);
      assertEquals(await put(sql, "leased", "from before", { token: lease_token }), false);
      const next = await lease(sql, "leased");
      assertEquals(Number(next.lease_token) > Number(lease_token), true);
      assertEquals(await put(sql, "leased", "new", { token: next.lease_token }), true);
      const [report] = await sql`select public.update_driver_position(${driver!.id}, -1.9441, 30.0619) as is_taken`;
      assertEquals(report!.is_taken, true);
      await sql.end();
    } finally {
      await postgres.stop();
      await Deno.remove(options.folder, { recursive: true });
    }
  },
});
