import type { Reply } from "shared/conversation/reply.ts";
import { choicesOf } from "../shared/conversation/dialogue.ts";
import { tend } from "../sql/trips/trips.ts";
import { messages, NUMBER, text } from "../support/deliveries.ts";
import type { Messaging } from "../support/messaging.ts";
import { until } from "../support/until.ts";

/** What the worker does for a conversation; payments are asked for by who needs them. */
export const SOURCES = "?sources=subscriptions,conversation,whatsapp_messages";

/** Switches the bot on at our number, for whoever writes from now on. */
export async function switchOn({ sql }: Messaging): Promise<void> {
  await sql`select public.set_conversation_number(${NUMBER}, true)`;
}

/** What was said to everybody or one number, in order: out of the queue and of what has left it. */
export async function repliesTo({ sql }: Messaging, phone: string | null = null): Promise<Reply[]> {
  return [
    ...await sql<Reply[]>`
      select message.message_type as type, message.payload from (
        select id, contact_id, message_type, payload from public.whatsapp_message_queue
        union all
        select id, contact_id, message_type, payload from public.whatsapp_message_queue_history
      ) as message
      where ${phone}::text is null or message.contact_id in (
        select identity.contact_id from public.whatsapp_identities as identity where identity.value = ${phone}
      )
      order by message.id`,
  ];
}

/** Lets the worker run until so much was said. */
export async function untilSaid(
  messaging: Messaging,
  count: number,
  before: () => PromiseLike<unknown> = () => Promise.resolve(),
): Promise<Reply[]> {
  let replies: Reply[] = [];
  await until(async () => {
    await before();
    await messaging.work(SOURCES);
    replies = await repliesTo(messaging);
    return replies.length >= count;
  }, `${count} replies are there`);
  return replies;
}

/** A tap on what a reply offers, as Meta brings it. */
export function tapOn(reply: Reply, action: string): Record<string, unknown> {
  return tapped(choicesOf(reply).find(({ id }) => id.startsWith(`${action}|`))!.id);
}

export function tapped(id: string): Record<string, unknown> {
  const interactive = { type: "list_reply", list_reply: { id, title: "x" } };
  return text({ type: "interactive", text: undefined, interactive });
}

/** A shared location. */
export function at(latitude: number, longitude: number): Record<string, unknown> {
  return text({ type: "location", text: undefined, location: { latitude, longitude } });
}

/** One person's chat with us, while the worker runs and the schedule tends the trips. */
export class Chat {
  #heard = 0;

  constructor(readonly messaging: Messaging, readonly phone: string) {}

  async write(body: string): Promise<void> {
    await this.#bring(text({ text: { body } }));
  }

  async share({ lat, lng }: { lat: number; lng: number }): Promise<void> {
    await this.#bring(at(lat, lng));
  }

  /** Taps on what a reply offers, by its action and how its argument ends. */
  async tap(reply: Reply, action: string, ending = ""): Promise<void> {
    await this.#bring(tapped(choicesOf(reply).find((choice) => isFor(choice, action, ending))!.id));
  }

  /** The next reply that offers that. */
  async hear(action: string, ending = ""): Promise<Reply> {
    return await this.hearOf((reply) => choicesOf(reply).some((choice) => isFor(choice, action, ending)), action);
  }

  /** The next reply that is about that. */
  async hearOf(isIt: (reply: Reply) => boolean, what: string): Promise<Reply> {
    let found: Reply | undefined;
    await until(async () => {
      await tend(this.messaging.sql);
      await this.messaging.work(`${SOURCES},payments`);
      const news = (await repliesTo(this.messaging, this.phone)).slice(this.#heard);
      const position = news.findIndex(isIt);
      this.#heard += position < 0 ? news.length : position + 1;
      found = news[position];
      return found !== undefined;
    }, `${this.phone} hears of ${what}`);
    return found!;
  }

  async #bring(message: Record<string, unknown>): Promise<void> {
    await this.messaging.deliver(messages({ ...message, from: this.phone }));
  }
}

function isFor({ id }: { id: string }, action: string, ending: string): boolean {
  const [name, argument] = id.split("|");
  return name === action && argument!.endsWith(ending);
}
