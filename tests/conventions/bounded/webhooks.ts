import type { TransactionSql } from "postgres";
import { answer, claim, createEndpoint, deliveriesOf, type Endpoint, happened } from "../../sql/webhooks/webhooks.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of the webhooks that ends at a partitioned table. */
export const WEBHOOKS: BoundedCalls = {
  "public.create_webhook_endpoint": (sql) => createEndpoint(sql),
  "public.update_webhook_endpoint": onEndpoint("update_webhook_endpoint($1, description => 'Books')"),
  "public.rotate_webhook_secret": onEndpoint("rotate_webhook_secret($1)"),
  "public.disable_webhook_endpoint": onEndpoint("disable_webhook_endpoint($1)"),
  "public.enable_webhook_endpoint": async (sql) => {
    const { id } = await createEndpoint(sql);
    await sql`select public.disable_webhook_endpoint(${id})`;
    await sql`select public.enable_webhook_endpoint(${id})`;
  },
  "public.delete_webhook_endpoint": onEndpoint("delete_webhook_endpoint($1)"),
  "public.send_test_webhook": onEndpoint("send_test_webhook($1)"),
  "public.replay_webhook_deliveries": async (sql) => {
    const endpoint = await createEndpoint(sql);
    const event = await happened(sql);
    await sql`select public.replay_webhook_deliveries(${endpoint.id}, event_id => ${event})`;
    await sql`select public.replay_webhook_deliveries(${endpoint.id}, now() - interval '30 days')`;
  },
  "public.report_webhook_attempts": async (sql) => {
    await createEndpoint(sql);
    for (const status of [200, 410]) {
      await happened(sql);
      await answer(sql, (await claim(sql))[0]!, { status });
    }
  },
  "private.cancel_webhook_deliveries": async (sql) => {
    await onEndpoint("disable_webhook_endpoint($1)")(sql);
    await sql`select private.cancel_webhook_deliveries(100)`;
  },
  "public.list_webhook_deliveries": async (sql) => {
    const endpoint = await delivered(sql);
    await deliveriesOf(sql, endpoint);
    await sql`select public.list_webhook_deliveries(${endpoint.id}, now() - interval '30 days')`;
  },
  "public.webhook_delivery_log": async (sql) => {
    await delivered(sql);
    await sql`select * from public.webhook_delivery_log where id >= private.uuid_v7_floor(now() - interval '1 day')`;
  },
};

/** Calls something for an endpoint that a delivery waits for. */
function onEndpoint(call: string): (sql: TransactionSql) => Promise<void> {
  return async (sql) => {
    const { id } = await createEndpoint(sql);
    await happened(sql);
    await sql.unsafe(`select public.${call}`, [id]);
  };
}

async function delivered(sql: TransactionSql): Promise<Endpoint> {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  await answer(sql, (await claim(sql))[0]!, { status: 200 });
  return endpoint;
}
