import type { Sql } from "postgres";
import type { AcceptedMessage } from "../../scripts/fakes/graph/accepted_message.ts";
import type { Course } from "../../scripts/fakes/graph/message_status.ts";

/** Lets every message that comes in be answered, by a subscription that enqueues the reply. */
export async function answerEverybody(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create function private.answer_everybody(events public.event_store[]) returns void
    language plpgsql set search_path = '' as $$
    declare
      v_event public.event_store;
    begin
      foreach v_event in array answer_everybody.events loop
        perform public.enqueue_whatsapp_message(
          phone_number_id => v_event.payload ->> 'phone_number_id', contact_id => (v_event.payload ->> 'contact_id')::uuid,
          message_type => 'text', message_payload => '{"text": {"body": "Murakaza neza"}}',
          idempotency_key => 'reply ' || (v_event.payload ->> 'message_id'), expires_at => now() + interval '10 years'
        );
      end loop;
    end;
    $$;
    select private.register_subscription(
      'replies', 'private.answer_everybody(public.event_store[])', event_types => '{whatsapp_message.received}'
    )`).simple();
}

/** A message of ours as the database has it in the end. */
export interface Intent {
  id: string;
  phone: string;
  state: string;
  failure_reason: string | null;
  may_resend: boolean;
  /** Whether it was claimed again, or nobody knew for a while whether it was sent. */
  was_in_doubt: boolean;
}

/** Every message that was ever enqueued, in the order of enqueuing. */
export async function intentsOf(sql: Sql): Promise<Intent[]> {
  return [
    ...await sql<Intent[]>`
      with every as (
        select id, contact_id, state, failure_reason, may_resend, lease_token, unknown_at from public.whatsapp_message_queue
        union all
        select id, contact_id, state, failure_reason, may_resend, lease_token, unknown_at from public.whatsapp_message_queue_history
      )
      select every.id, identity.value as phone, every.state, every.failure_reason, every.may_resend,
        every.lease_token > 1 or every.unknown_at is not null as was_in_doubt
      from every
      join public.whatsapp_identities as identity on identity.contact_id = every.contact_id and identity.kind = 'wa_id'
      order by every.id`,
  ];
}

/** Whether nothing is left to be sent. */
export async function isThrough(sql: Sql): Promise<boolean> {
  return (await sql`select from public.whatsapp_message_queue limit 1`).length === 0;
}

/** What Meta has done with our messages: the truth that the database is held against. */
export class Ledger {
  readonly #courses = new Map<AcceptedMessage, Course>();

  /** Notes what becomes of a copy. */
  note(message: AcceptedMessage, course: Course): Course {
    this.#courses.set(message, course);
    return course;
  }

  /** How many copies of a message reached its person. */
  arrivals(id: string): number {
    return this.#copies().filter(([{ intent }, course]) => intent === id && !hasFailed(course)).length;
  }

  /** How often Meta took a message, also if it failed then. */
  acceptances(id: string): number {
    return this.#copies().filter(([{ intent }]) => intent === id).length;
  }

  /** The messages to somebody in the order in which Meta first took each. */
  orderOf(phone: string): string[] {
    const taken = this.#copies().filter(([{ wa_id }]) => wa_id === phone).map(([{ intent }]) => intent!);
    return [...new Set(taken)];
  }

  #copies(): [AcceptedMessage, Course][] {
    return [...this.#courses];
  }
}

/** The people whose messages Meta did not take in the order in which they were enqueued. */
export function outOfOrder(intents: readonly Intent[], ledger: Ledger): string[] {
  return [...Map.groupBy(intents, ({ phone }) => phone)].flatMap(([phone, own]) => {
    const taken = ledger.orderOf(phone);
    const enqueued = own.map(({ id }) => id).filter((id) => taken.includes(id));
    return enqueued.join() === taken.join() ? [] : phone;
  });
}

function hasFailed(course: Course): boolean {
  return typeof course.at(-1) === "number";
}
