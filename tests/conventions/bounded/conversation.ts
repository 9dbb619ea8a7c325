import type { TransactionSql } from "postgres";
import { messages, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import type { BoundedCalls } from "./case.ts";

const IDLE = { state: "idle", context: {}, locale: "en" };
const REPLIES = [{ type: "text", payload: { text: { body: "Muraho" } } }];

/** Every call of the conversation that ends at a partitioned table. */
export const CONVERSATION: BoundedCalls = {
  "public.claim_conversation_turns": claim,
  "public.run_conversation_command": async (sql) => {
    const { message_id, session } = await claim(sql);
    for (const name of ["wallet", "current_trip"]) {
      await sql`select public.run_conversation_command(${message_id}, ${session.contact_id}, ${sql.json({ name })})`;
    }
  },
  "public.finish_conversation_turn": async (sql) => {
    const { id, lease_token, session } = await claim(sql);
    await sql`select public.finish_conversation_turn(
      ${id}, ${lease_token}, ${session.id}, ${session.version}, ${sql.json(IDLE)}, ${sql.json(REPLIES)})`;
  },
};

interface Turn {
  id: number;
  lease_token: number;
  message_id: string;
  session: { id: string; contact_id: string; version: number };
}

/** The turn of a message that has just come in. */
async function claim(sql: TransactionSql): Promise<Turn> {
  await ingest(sql, messages(text()));
  await sql`
    select private.enqueue_message('conversation', 'heard', jsonb_build_object(
      'message_id', message.id, 'contact_id', message.contact_id, 'phone_number_id', message.phone_number_id
    ), 5, null, 'heard ' || message.id, message.contact_id::text, null, null)
    from public.whatsapp_messages as message
    where message.id >= private.uuid_v7_floor(now() - interval '1 hour')`;
  const [row] = await sql<{ turn: Turn }[]>`select public.claim_conversation_turns() as turn`;
  return row!.turn;
}
