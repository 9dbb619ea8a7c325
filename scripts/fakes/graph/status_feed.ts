import { metaJson } from "./meta_json.ts";
import type { Random } from "../random.ts";
import { APP_SECRET, deliver, type FetchLike } from "./deliver.ts";
import type { MessageStatus } from "./message_status.ts";

/** How Meta is to bring statuses. */
export interface DeliveryManner {
  /** How often each comes; by default once. */
  copies?: number;
  /** In any order instead of that in which things happened. */
  shuffled?: boolean;
  /** How many come in one delivery; by default 1. */
  batch?: number;
}

/** Where statuses go. */
export interface Webhook {
  /** The webhook's address, or what answers in its place. */
  target: string | FetchLike;
  /** What signs deliveries; by default the local stack's app secret. */
  secret?: string;
}

const ENCODER = new TextEncoder();
const IN_PLACE = "http://127.0.0.1/whatsapp-webhook";

/** Statuses on their way to a webhook. What it does not answer with 200 stays, as Meta keeps it for seven days. */
export class StatusFeed {
  #pending: MessageStatus[] = [];

  constructor(readonly webhook: Webhook | undefined, readonly random: Random) {}

  /** How many statuses have not been taken yet. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  add(statuses: readonly MessageStatus[]): void {
    this.#pending.push(...statuses);
  }

  /** Brings all that is pending, one delivery after the other. */
  async deliver({ copies = 1, shuffled = false, batch = 1 }: DeliveryManner = {}): Promise<void> {
    const taken = this.#pending.splice(0);
    const copied = Array.from({ length: copies }, () => taken).flat();
    const ordered = shuffled ? this.random.shuffle(copied) : copied;
    for (let start = 0; start < ordered.length; start += batch) {
      const statuses = ordered.slice(start, start + batch);
      if (!await this.#post(statuses)) this.add(statuses);
    }
  }

  async #post(statuses: readonly MessageStatus[]): Promise<boolean> {
    if (!this.webhook) return false;
    const { target, secret = APP_SECRET } = this.webhook;
    const [fetchLike, url] = typeof target === "string" ? [fetch, target] : [target, IN_PLACE];
    try {
      const answer = await deliver(fetchLike, url, envelope(statuses), { secret });
      await answer.body?.cancel();
      return answer.status === 200;
    } catch {
      return false;
    }
  }
}

/** One delivery's body: a change for each number. */
function envelope(statuses: readonly MessageStatus[]): Uint8Array<ArrayBuffer> {
  const byNumber = Map.groupBy(statuses, (status) => status.phone_number_id);
  const changes = [...byNumber].map(([phone_number_id, group]) => ({
    field: "messages",
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: "250788000000", phone_number_id },
      contacts: contactsOf(group),
      statuses: group.map(({ json }) => json),
    },
  }));
  const entry = [{ id: "200000000000001", changes }];
  return ENCODER.encode(metaJson({ object: "whatsapp_business_account", entry }));
}

/** Failures come without. */
function contactsOf(statuses: readonly MessageStatus[]): unknown[] | undefined {
  const contacts = statuses.flatMap(({ contact }) => contact ?? []);
  return contacts.length > 0 ? contacts : undefined;
}
