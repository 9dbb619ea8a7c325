import { createUser } from "../../sql/foundation/people.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of the flags that ends at a partitioned table: what operators and event streams are told. */
export const FLAGS: BoundedCalls = {
  "private.report_stale_flags": async (sql) => {
    const id = await createUser(sql);
    await sql`insert into public.profiles (user_id) values (${id})`;
    await sql`insert into private.operators values (${id}, 'tried')`;
    await sql`select public.create_feature_flag('old')`;
    await sql`update public.feature_flags set created_at = now() - interval '41 days'`;
    await sql`select private.report_stale_flags()`;
  },
};
