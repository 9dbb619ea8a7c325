import { type Misbehaviour, spoil } from "../graph/misbehaviour.ts";
import { type Line, openWire, type Wire } from "../graph/wire.ts";
import { random } from "../random.ts";
import { StripeEvents, type StripeWebhook } from "./stripe_events.ts";
import { type Intent, type Refund, stripeError, StripeObjects } from "./stripe_objects.ts";

/** How a Stripe API is to behave. */
export interface FakeStripeOptions {
  /** By default a free one. */
  port?: number;
  seed?: number;
  secretKey?: string;
  webhook?: StripeWebhook;
  /** The payer confirms with a good card so much later; by default only `confirm()` does. */
  confirmsAfterMs?: number;
  /** Whether the search finds what was just made; Stripe's does not. */
  searchLags?: boolean;
}

/** The first answer to a key, and the request that it was an answer to. */
interface Remembered {
  request: string;
  status: number;
  body: string;
}

/** A Stripe API on this machine, for tests and development: PaymentIntents, refunds, and events about them. */
export class FakeStripe implements AsyncDisposable {
  readonly secretKey: string;
  readonly objects: StripeObjects;
  readonly events: StripeEvents;
  /** What arrived: `POST payment_intents` */
  readonly requests: string[] = [];
  readonly #options: FakeStripeOptions;
  readonly #script: (Misbehaviour | undefined)[] = [];
  readonly #answers = new Map<string, Remembered>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #stop = Promise.withResolvers<void>();
  readonly #wire: Wire;

  constructor(options: FakeStripeOptions = {}) {
    const { seed = 1, secretKey = "sk_test_local", webhook } = options;
    this.#options = options;
    this.secretKey = secretKey;
    this.objects = new StripeObjects(random(seed));
    this.events = new StripeEvents(webhook, random(seed + 1));
    this.#wire = openWire((request, line) => this.#answer(request, line), options.port);
  }

  /** `127.0.0.1:<port>` */
  get host(): string {
    return this.#wire.host;
  }

  /** The settings of a function that is to pay here. */
  get settings(): Record<string, string> {
    return { STRIPE_SECRET_KEY: this.secretKey, STRIPE_API_URL: `http://${this.host}` };
  }

  /** Lets the next calls go wrong in these ways, one each; undefined lets one go well. */
  next(...script: (Misbehaviour | undefined)[]): void {
    this.#script.push(...script);
  }

  /** The payer enters a card, as Stripe's own page lets them; a bank may decline it. */
  confirm(intentId: string, declineCode?: string): void {
    const intent = this.objects.intents.get(intentId)!;
    if (declineCode) {
      intent.last_payment_error = { type: "card_error", code: "card_declined", decline_code: declineCode };
      return this.events.add("payment_intent.payment_failed", { ...intent });
    }
    intent.status = "succeeded";
    intent.amount_received = intent.amount;
    this.events.add("payment_intent.succeeded", { ...intent });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.resolve();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#wire[Symbol.asyncDispose]();
  }

  async #answer(request: Request, line: Line): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/v1\//, "");
    const form = request.method === "POST" ? new URLSearchParams(await request.text()) : url.searchParams;
    this.requests.push(`${request.method} ${path}`);
    const bad = this.#script.shift();
    const good = bad?.accepts === false ? Response.json({}) : await this.#route(request, path, form);
    return bad ? await spoil(good, bad.answer, { line, stopped: this.#stop.promise }) : good;
  }

  async #route({ method, headers }: Request, path: string, form: URLSearchParams): Promise<Response> {
    if (headers.get("authorization") !== `Bearer ${this.secretKey}`) {
      return stripeError(401, { message: "Invalid API Key provided" });
    }
    if (method === "POST") {
      return await this.#once(headers.get("idempotency-key"), `${path}?${form}`, () => this.#make(path, form));
    }
    const [collection, id] = path.split("/");
    if (id === "search") return Response.json({ object: "search_result", data: this.#search(form), has_more: false });
    if (collection === "refunds" && !id) return Response.json({ object: "list", data: this.#refundsOf(form) });
    const found = this.objects[collection === "refunds" ? "refunds" : "intents"].get(id ?? "");
    return found ? Response.json(found) : stripeError(404, { code: "resource_missing" });
  }

  /** Repeats the first answer to a key; another request under it is refused. */
  async #once(key: string | null, request: string, make: () => Response): Promise<Response> {
    if (key === null) return make();
    const known = this.#answers.get(key);
    if (known && known.request !== request) return stripeError(400, { type: "idempotency_error" });
    if (!known) {
      const answer = make();
      this.#answers.set(key, { request, status: answer.status, body: await answer.text() });
    }
    const { status, body } = this.#answers.get(key)!;
    const headers = { "content-type": "application/json", ...(known && { "idempotent-replayed": "true" }) };
    return new Response(body, { status, headers });
  }

  #make(path: string, form: URLSearchParams): Response {
    if (path !== "payment_intents" && path !== "refunds") return stripeError(404, { code: "resource_missing" });
    const made = path === "refunds" ? this.objects.createRefund(form) : this.objects.createIntent(form);
    if (made instanceof Response) return made;
    this.#follow(made);
    return Response.json(made);
  }

  #follow(made: Intent | Refund): void {
    const { confirmsAfterMs } = this.#options;
    if (made.object === "refund") return this.events.add("refund.created", { ...made });
    if (confirmsAfterMs === undefined) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.confirm(made.id);
      this.events.deliver();
    }, confirmsAfterMs);
    this.#timers.add(timer);
  }

  #search(form: URLSearchParams): Intent[] {
    if (this.#options.searchLags) return [];
    const [, attempt] = /^metadata\['attempt_id'\]:'([^']+)'$/.exec(form.get("query") ?? "") ?? [];
    return [...this.objects.intents.values()].filter(({ metadata }) => metadata.attempt_id === attempt);
  }

  #refundsOf(form: URLSearchParams): Refund[] {
    return [...this.objects.refunds.values()].filter(({ payment_intent }) =>
      payment_intent === form.get("payment_intent")
    );
  }
}

/** Starts one: `await using stripe = startFakeStripe({ ... })`. */
export function startFakeStripe(options: FakeStripeOptions = {}): FakeStripe {
  return new FakeStripe(options);
}
