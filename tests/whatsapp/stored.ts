import type { Sql } from "postgres";
import { canonical } from "./expected.ts";
import type { ExpectedEvent, ExpectedMessage, ExpectedStatus, ExpectedStore } from "./expected.ts";

/** What the database holds, in the oracle's words: everything but generated ids and times of receipt. */
export async function storedContents(sql: Sql): Promise<ExpectedStore> {
  const [copies, messages, statuses, events] = await Promise.all([
    copiesIn(sql),
    messagesIn(sql),
    statusesIn(sql),
    eventsIn(sql),
  ]);
  return { copies, messages, statuses, events, people: await peopleIn(sql) };
}

async function copiesIn(sql: Sql): Promise<Record<string, number>> {
  const rows = await sql`select encode(sha256, 'hex') as sha256, copy_count from public.whatsapp_delivery_keys`;
  return Object.fromEntries(rows.map((row) => [row.sha256, row.copy_count]));
}

async function messagesIn(sql: Sql): Promise<ExpectedMessage[]> {
  const rows = await sql`select * from public.whatsapp_messages`;
  return rows.map((row) => {
    const side = row.direction === "inbound" ? "from" : "to";
    const sender = {
      wa_id: row.payload[side] ?? null,
      user_id: row.payload[`${side}_user_id`] ?? null,
      parent_user_id: row.payload[`${side}_parent_user_id`] ?? null,
    };
    const { phone_number_id, wamid, type, sent_at, direction } = row;
    return { phone_number_id, wamid, type, sent_at, direction, sender };
  });
}

async function statusesIn(sql: Sql): Promise<ExpectedStatus[]> {
  const rows = await sql`select * from public.whatsapp_message_statuses`;
  return rows.map((row) => {
    const { phone_number_id, wamid, participant, status, observed } = row;
    const times = Object.fromEntries(Object.keys(observed).map((name) => [name, row[`${name}_at`]]));
    return { phone_number_id, wamid, participant, status, times };
  });
}

async function eventsIn(sql: Sql): Promise<ExpectedEvent[]> {
  const rows = await sql`select is_known, field, occurred_at, payload from public.whatsapp_events`;
  return rows.map(({ is_known, field, occurred_at, payload }) => (
    { kind: is_known ? "event" : "unknown", field, occurred_at, content: canonical(payload) }
  ));
}

/** The names of each contact that wrote or got a message, whatever contact it was merged into. */
async function peopleIn(sql: Sql): Promise<string[][]> {
  const rows = await sql`
    select array_agg(distinct identity.value) as names
    from public.whatsapp_contacts as contact
    join public.whatsapp_identities as identity on identity.contact_id = contact.id
    where contact.merged_into is null
    group by contact.id`;
  return rows.map((row) => row.names.sort());
}

/** The same contents in one order, so that two can be compared. */
export function inOrder(store: ExpectedStore): Omit<ExpectedStore, "people"> {
  const { copies, messages, statuses, events } = store;
  const sorted = <T>(rows: T[]) =>
    rows.map((row) => JSON.parse(canonical(row)) as T).sort((a, b) => canonical(a) < canonical(b) ? -1 : 1);
  return {
    copies: Object.fromEntries(Object.entries(copies).sort()),
    messages: sorted(messages),
    statuses: sorted(statuses),
    events: sorted(events),
  };
}
