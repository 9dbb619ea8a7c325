/** A message as the model knows it. */
export interface ModelMessage {
  id: string;
  state: "ready" | "scheduled" | "leased" | "blocked" | "dead";
  priority: number;
  lane: string | null;
  key: string | null;
  attempts: number;
  maxAttempts: number;
  isScheduled: boolean;
  token: string | null;
  /** A dead one that keeps nobody waiting is no longer in its lane. */
  isInLane: boolean;
}

/** What a message is enqueued with. */
export type ModelDraft = Pick<ModelMessage, "priority" | "lane" | "key" | "maxAttempts" | "isScheduled">;

/** What the queue promises, told without a database: a list of messages in the order of their enqueuing. */
export class QueueModel {
  messages: ModelMessage[] = [];
  /** Keys of completed messages: their window has not passed. */
  readonly completedKeys = new Map<string, string>();

  constructor(private readonly keepsLaneBehindDead: boolean) {}

  /** The id of an earlier message that this key stands for. */
  duplicateOf({ key }: ModelDraft): string | undefined {
    if (key === null) return undefined;
    return this.messages.find((message) => message.key === key)?.id ?? this.completedKeys.get(key);
  }

  enqueue(id: string, draft: ModelDraft): void {
    const message: ModelMessage = {
      ...draft,
      id,
      state: "blocked",
      attempts: 0,
      token: null,
      isInLane: draft.lane !== null,
    };
    this.messages.push(message);
    this.#settle(draft.lane, message);
  }

  /** How urgent the next so many are that a claim must give. */
  claimablePriorities(count: number): number[] {
    const ready = this.messages.filter(({ state }) => state === "ready").map(({ priority }) => priority);
    return ready.sort((a, b) => a - b).slice(0, count);
  }

  claim(id: string, token: string): void {
    const message = this.#find(id);
    message.state = "leased";
    message.token = token;
    message.attempts++;
  }

  holds({ id, token }: { id: string; token: string }): boolean {
    return this.messages.some((message) => message.id === id && message.token === token);
  }

  complete(id: string): void {
    const { key } = this.#find(id);
    if (key !== null) this.completedKeys.set(key, id);
    this.remove(id);
  }

  remove(id: string): void {
    const message = this.#find(id);
    this.messages = this.messages.filter((other) => other !== message);
    this.#settle(message.lane);
  }

  fail(id: string, delay: "none" | "some" | "forever"): void {
    const message = this.#find(id);
    message.token = null;
    if (delay !== "forever" && message.attempts < message.maxAttempts) {
      message.state = delay === "some" ? "scheduled" : "ready";
      return;
    }
    message.state = "dead";
    message.isInLane &&= this.keepsLaneBehindDead;
    this.#settle(message.lane);
  }

  release(id: string): void {
    const message = this.#find(id);
    Object.assign(message, { state: "ready", token: null, attempts: message.attempts - 1 });
  }

  /** Every lease runs out and everything scheduled is due. */
  passTime(): void {
    for (const message of this.messages) {
      message.isScheduled = false;
      if (message.state === "scheduled") message.state = "ready";
    }
    for (const { id } of this.messages.filter(({ state }) => state === "leased")) this.fail(id, "none");
  }

  redrive(ids: string[]): void {
    for (const message of this.messages.filter(({ id, state }) => ids.includes(id) && state === "dead")) {
      const wasHead = message.isInLane;
      Object.assign(message, { state: "blocked", attempts: 0, isScheduled: false, isInLane: message.lane !== null });
      if (wasHead) message.state = "ready";
      else this.#settle(message.lane, message);
    }
  }

  /** Lets the first of a lane go if none is out; a message without a lane always goes. */
  #settle(lane: string | null, alone?: ModelMessage): void {
    const members = lane === null
      ? (alone ? [alone] : [])
      : this.messages.filter((message) => message.lane === lane && message.isInLane);
    if (members.some(({ state }) => state !== "blocked")) return;
    const head = members.toSorted((a, b) => Number(a.id) - Number(b.id))[0];
    if (head) head.state = head.isScheduled ? "scheduled" : "ready";
  }

  #find(id: string): ModelMessage {
    const message = this.messages.find((message) => message.id === id);
    if (!message) throw new Error(`the model knows no message ${id}`);
    return message;
  }
}
