import type { Sql } from "postgres";
import { deliver } from "../fakes/graph/deliver.ts";

/** Our number on the local stack. */
export const OUR_NUMBER = "100000000000001";
/** How long anything in the story may take. */
export const PATIENCE_MS = 60_000;

/** A message that somebody got from us, and what it offers to tap on. */
export interface Received {
  id: string;
  body: string;
  choices: { id: string; title: string }[];
}

/** Somebody's phone with WhatsApp on it: it writes through Meta's signed deliveries and sees what was sent to it. */
export class Phone {
  #seen = "00000000-0000-0000-0000-000000000000";

  /** @param number - without plus */
  constructor(readonly number: string, readonly name: string, readonly webhook: string, readonly sql: Sql) {}

  /** Writes a text. */
  async write(body: string): Promise<void> {
    await this.#bring({ type: "text", text: { body } });
  }

  /** Shares a location. */
  async share(latitude: number, longitude: number, name: string): Promise<void> {
    await this.#bring({ type: "location", location: { latitude, longitude, name } });
  }

  /** Taps on what a message offers, by the beginning of its id and how its argument ends. */
  async tap({ choices }: Received, action: string, ending = ""): Promise<void> {
    const choice = choices.find(({ id }) => id.startsWith(`${action}|`) && id.split("|")[1]!.endsWith(ending));
    if (!choice) throw new Error(`nothing to tap on for ${action} ${ending}`);
    const interactive = { type: "button_reply", button_reply: { id: choice.id, title: choice.title } };
    await this.#bring({ type: "interactive", interactive });
  }

  /** The next message that is about that. */
  async hear(isIt: (message: Received) => boolean = () => true): Promise<Received> {
    return await until(`${this.name} hears of it`, async () => {
      for (const message of await this.#received()) {
        this.#seen = message.id;
        if (isIt(message)) return message;
      }
    });
  }

  async #bring(fields: Record<string, unknown>): Promise<void> {
    const message = {
      id: `wamid.story${crypto.randomUUID()}`,
      from: this.number,
      timestamp: String(Math.floor(Date.now() / 1000)),
      ...fields,
    };
    const value = {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: "250788000000", phone_number_id: OUR_NUMBER },
      contacts: [{ profile: { name: this.name }, wa_id: this.number }],
      messages: [message],
    };
    const entry = [{ id: "102290129340398", changes: [{ field: "messages", value }] }];
    const body = new TextEncoder().encode(JSON.stringify({ object: "whatsapp_business_account", entry }));
    const answer = await deliver(fetch, this.webhook, body);
    await answer.body?.cancel();
    if (answer.status !== 200) throw new Error(`the webhook answered ${answer.status}`);
  }

  /** What Meta took for this phone since it last looked. */
  async #received(): Promise<Received[]> {
    const rows = await this.sql`
      select message.id, message.payload
      from (
        select id, contact_id, payload from public.whatsapp_message_queue where state = 'sent'
        union all
        select id, contact_id, payload from public.whatsapp_message_queue_history where state = 'sent'
      ) as message
      join public.whatsapp_identities as identity on identity.contact_id = message.contact_id
      where identity.kind = 'wa_id' and identity.value = ${this.number} and message.id > ${this.#seen}
      order by message.id`;
    return rows.map(({ id, payload }) => ({ id, body: bodyOf(payload), choices: choicesOf(payload) }));
  }
}

/** Asks again until there is an answer. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  throw new Error(`waited in vain until ${what}`);
}

interface Payload {
  text?: { body: string };
  interactive?: {
    body?: { text: string };
    action?: {
      buttons?: { reply: { id: string; title: string } }[];
      sections?: { rows: { id: string; title: string }[] }[];
    };
  };
}

function bodyOf({ text, interactive }: Payload): string {
  return text?.body ?? interactive?.body?.text ?? "";
}

function choicesOf({ interactive }: Payload): { id: string; title: string }[] {
  const { buttons = [], sections = [] } = interactive?.action ?? {};
  return [...buttons.map(({ reply }) => reply), ...sections.flatMap(({ rows }) => rows)];
}
