import type { FetchLike } from "../graph/deliver.ts";
import { type Misbehaviour, spoil } from "../graph/misbehaviour.ts";
import { type Line, openWire, type Wire } from "../graph/wire.ts";
import { random } from "../random.ts";
import { CallbackFeed } from "./callback_feed.ts";
import { MomoBooks, type MomoCourse, type MomoRequest, type MomoResource } from "./momo_books.ts";
import { momoError, readMomoRequest } from "./momo_request.ts";

/** How an MTN MoMo API is to behave. */
export interface FakeMomoOptions {
  /** By default a free one. */
  port?: number;
  seed?: number;
  /** Before each answer. */
  latencyMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Seconds that a token lives. */
  tokenLife?: number;
  /** What becomes of a request; by default it succeeds at once. */
  course?: (request: MomoRequest) => MomoCourse;
  /** What goes wrong with a call that `next()` says nothing of: `POST requesttopay`. */
  misbehave?: (call: string) => Misbehaviour | undefined;
  /** Whether a callback comes by itself once a request is decided; otherwise by `callbacks.deliver()`. */
  callsBack?: boolean;
  /** What takes callbacks instead of the network. */
  bring?: FetchLike;
}

const PRODUCTS: Record<string, readonly string[]> = {
  collection: ["requesttopay"],
  disbursement: ["transfer", "refund"],
};
const USER = {
  collection: "c0000000-0000-4000-8000-000000000001",
  disbursement: "d0000000-0000-4000-8000-000000000001",
};
const API_KEY = "local-momo-key";
const ENVIRONMENT = "mtnrwanda";

/** An MTN MoMo API on this machine, for tests and development. */
export class FakeMomo implements AsyncDisposable {
  readonly books: MomoBooks;
  readonly callbacks: CallbackFeed;
  /** What arrived: `POST /collection/v1_0/requesttopay` */
  readonly requests: string[] = [];
  readonly #options: FakeMomoOptions;
  readonly #script: (Misbehaviour | undefined)[] = [];
  readonly #tokens = new Map<string, string>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #stop = Promise.withResolvers<void>();
  readonly #wire: Wire;
  #tokenCount = 0;
  #undecided = 0;

  constructor(options: FakeMomoOptions = {}) {
    const { seed = 1, now = Date.now, bring } = options;
    this.#options = options;
    this.books = new MomoBooks(now);
    this.callbacks = new CallbackFeed(this.books, random(seed), bring);
    this.#wire = openWire((request, line) => this.#answer(request, line), options.port);
  }

  /** `127.0.0.1:<port>` */
  get host(): string {
    return this.#wire.host;
  }

  /** The settings of a function that is to pay here. */
  get settings(): Record<string, string> {
    return {
      MTN_MOMO_TARGET_ENVIRONMENT: ENVIRONMENT,
      MTN_MOMO_API_URL: `http://${this.host}`,
      MTN_MOMO_COLLECTION_SUBSCRIPTION_KEY: "local-collection-key",
      MTN_MOMO_COLLECTION_API_USER: USER.collection,
      MTN_MOMO_COLLECTION_API_KEY: API_KEY,
      MTN_MOMO_DISBURSEMENT_SUBSCRIPTION_KEY: "local-disbursement-key",
      MTN_MOMO_DISBURSEMENT_API_USER: USER.disbursement,
      MTN_MOMO_DISBURSEMENT_API_KEY: API_KEY,
      MTN_MOMO_CALLBACK_SECRETS: "local-momo-callback-secret",
    };
  }

  /** Whether nobody is connected and nothing is left to be carried out. */
  get isIdle(): boolean {
    return this.#wire.connectionCount === 0 && this.#undecided === 0;
  }

  /** Lets the next calls about money go wrong in these ways, one each; undefined lets one go well. */
  next(...script: (Misbehaviour | undefined)[]): void {
    this.#script.push(...script);
  }

  /** Takes no token any more that it gave out. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.resolve();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#wire[Symbol.asyncDispose]();
  }

  async #answer(request: Request, line: Line): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.requests.push(`${request.method} ${pathname}`);
    this.#undecided++;
    const { good, bad } = await this.#decide(request, pathname).finally(() => this.#undecided--);
    return bad ? await spoil(good, bad.answer, { line, stopped: this.#stop.promise }) : good;
  }

  /** Carries a request out, unless it is to go wrong. */
  async #decide(request: Request, path: string): Promise<{ good: Response; bad?: Misbehaviour }> {
    const { latencyMs, misbehave } = this.#options;
    const [, product = "", version = "", resource = "", id] = path.split("/");
    const body = await request.json().catch(() => ({}));
    if (latencyMs) await new Promise((resolve) => setTimeout(resolve, latencyMs));
    const key = request.headers.get("ocp-apim-subscription-key");
    if (key !== `local-${product}-key`) return { good: Response.json({ statusCode: 401 }, { status: 401 }) };
    if (version === "token") return { good: this.#giveToken(request, product) };
    const good = () => this.#route(request, { product, resource, id, body });
    const bad = this.#script.length > 0 ? this.#script.shift() : misbehave?.(`${request.method} ${resource}`);
    return { good: bad?.accepts === false ? Response.json({}) : good(), bad };
  }

  #giveToken(request: Request, product: string): Response {
    const user = USER[product as keyof typeof USER];
    const isKnown = request.headers.get("authorization") === `Basic ${btoa(`${user}:${API_KEY}`)}`;
    if (!isKnown) return Response.json({ error: "login_failed" }, { status: 401 });
    const token = `${product}-token-${++this.#tokenCount}`;
    this.#tokens.set(token, product);
    return Response.json({
      access_token: token,
      token_type: "access_token",
      expires_in: this.#options.tokenLife ?? 3600,
    });
  }

  #route(
    { method, headers }: Request,
    { product, resource, id, body }: { product: string; resource: string; id?: string; body: Record<string, unknown> },
  ): Response {
    const token = headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    if (this.#tokens.get(token) !== product) return Response.json({ statusCode: 401 }, { status: 401 });
    if (headers.get("x-target-environment") !== ENVIRONMENT) return momoError(500, "NOT_ALLOWED_TARGET_ENVIRONMENT");
    if (!PRODUCTS[product]?.includes(resource)) return new Response(null, { status: 404 });
    if (method === "POST") return this.#take(readMomoRequest(headers, resource as MomoResource, body));
    const entry = this.books.entries.get(id ?? "");
    if (!entry || entry.resource !== resource) return momoError(404, "RESOURCE_NOT_FOUND");
    return Response.json(this.books.shown(entry));
  }

  #take(request: MomoRequest | Response): Response {
    if (request instanceof Response) return request;
    if (this.books.entries.has(request.id)) return momoError(409, "RESOURCE_ALREADY_EXIST");
    const { course = () => ({}), callsBack } = this.#options;
    const entry = this.books.add(request, course(request));
    this.callbacks.add(entry);
    if (callsBack && Number.isFinite(entry.decidedAt)) this.#later(entry.decidedAt - this.books.now());
    return new Response(null, { status: 202 });
  }

  #later(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.callbacks.deliver();
    }, ms + 50);
    this.#timers.add(timer);
  }
}

/** Starts one: `await using momo = startFakeMomo({ ... })`. */
export function startFakeMomo(options: FakeMomoOptions = {}): FakeMomo {
  return new FakeMomo(options);
}
