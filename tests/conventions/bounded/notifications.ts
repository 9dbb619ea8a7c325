import type { TransactionSql } from "postgres";
import { asUser, createUser } from "../../sql/foundation/people.ts";
import { claim, complete, createPerson, fail, makeDue, notify } from "../../sql/notifications/notifications.ts";
import { openWindow } from "../../sql/whatsapp_outbound/outbound.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of notifications that ends at a partitioned table. */
export const NOTIFICATIONS: BoundedCalls = {
  "public.notify": async (sql) => {
    const person = await createPerson(sql);
    await notify(sql, person, { idempotency_key: "once" });
    await notify(sql, person, { idempotency_key: "once" });
  },
  "public.claim_notifications": async (sql) => {
    const person = await createPerson(sql);
    for (const title of ["One", "Two"]) await notify(sql, person, { category: "service", channels: ["sms"], title });
    await makeDue(sql);
    await claim(sql);
  },
  "public.complete_notification": async (sql) => complete(sql, await claimed(sql)),
  "public.fail_notification": async (sql) => fail(sql, await claimed(sql), { kind: "rejected" }),
  "private.reap_notifications": async (sql) => {
    await claimed(sql);
    await sql`update public.notification_deliveries set lease_expires_at = now()`;
    await sql`select private.reap_notifications(10)`;
  },
  "public.run_notifications": (sql) => handedOver(sql),
  "private.settle_handed_over_notifications": async (sql) => {
    await handedOver(sql);
    await sql`update public.notification_deliveries set scheduled_at = now(), outcomes = '{"whatsapp": {"state": "sent"}}'`;
    await sql`select private.settle_handed_over_notifications(10)`;
  },
  "public.list_notifications": (sql) => inInbox(sql, "select * from public.list_notifications(max_count => 1)"),
  "public.count_unread_notifications": (sql) => inInbox(sql, "select public.count_unread_notifications()"),
  "public.mark_notifications_read": (sql) => inInbox(sql, "select public.mark_notifications_read()"),
  "public.notification_stats": async (sql) => {
    await complete(sql, await claimed(sql));
    await sql`select * from public.notification_stats`;
  },
};

async function claimed(sql: TransactionSql) {
  await notify(sql, await createPerson(sql), { channels: ["sms"] });
  const [delivery] = await claim(sql);
  return delivery!;
}

async function handedOver(sql: TransactionSql): Promise<void> {
  await openWindow(sql);
  const person = await createPerson(sql);
  await sql`update public.whatsapp_contacts set profile_id = ${person}`;
  await notify(sql, person, { channels: ["whatsapp"] });
  await sql`select public.run_notifications()`;
}

async function inInbox(sql: TransactionSql, statement: string): Promise<void> {
  const user = await createUser(sql);
  const person = await createPerson(sql);
  await sql`update public.profiles set user_id = ${user} where id = ${person}`;
  await notify(sql, person);
  await asUser(sql, user, (client) => client.unsafe(statement));
}
