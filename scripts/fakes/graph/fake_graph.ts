import { random } from "../random.ts";
import { acceptance, type AcceptedMessage } from "./accepted_message.ts";
import type { Misbehave } from "./choose_misbehaviour.ts";
import { graphError } from "./graph_errors.ts";
import { Mailbox, type SendLimits } from "./mailbox.ts";
import { MediaStore } from "./media_store.ts";
import { type Course, statusesOf } from "./message_status.ts";
import { type Misbehaviour, spoil } from "./misbehaviour.ts";
import { type DeliveryManner, StatusFeed, type Webhook } from "./status_feed.ts";
import { type GraphTemplate, templatePage } from "./template_list.ts";
import { type Line, openWire, type Wire } from "./wire.ts";

/** How a Graph API is to behave. Everything that chance decides follows from the seed. */
export interface FakeGraphOptions {
  /** By default a free one. */
  port?: number;
  seed?: number;
  token?: string;
  /** Before each answer. */
  latencyMs?: number;
  limits?: SendLimits;
  /** What goes wrong with requests that `next()` says nothing of. */
  misbehave?: Misbehave;
  /** Milliseconds since 1970; limits are kept by it. */
  now?: () => number;
  templates?: GraphTemplate[];
  webhook?: Webhook;
  /** When statuses are brought to the webhook; on demand is by `statuses.deliver()`. */
  statuses?: DeliveryManner & { when: "on_demand" | "before_answer" | "after_answer" };
  /** What becomes of a message; by default it is sent, delivered and read. */
  course?: (message: AcceptedMessage) => Course;
}

/** A Graph API on this machine, for tests, measurements and development. */
export class FakeGraph implements AsyncDisposable {
  readonly token: string;
  readonly media = new MediaStore(() => `${this.origin}/files`);
  readonly templates: GraphTemplate[];
  readonly mailbox: Mailbox;
  readonly statuses: StatusFeed;
  /** What arrived: `POST /100000000000001/messages` */
  readonly requests: string[] = [];
  /** How many requests have gone wrong: what they asked is carried out by then, or never will be. */
  misbehaved = 0;
  readonly #options: FakeGraphOptions;
  readonly #script: (Misbehaviour | undefined)[] = [];
  readonly #arrivals = new Map<string, number>();
  readonly #background = new Set<Promise<void>>();
  readonly #stop = Promise.withResolvers<void>();
  #undecided = 0;
  readonly #wire: Wire;

  constructor(options: FakeGraphOptions = {}) {
    const { seed = 1, token = "local-graph-token", limits = {}, now = Date.now, templates = [], webhook } = options;
    this.#options = options;
    this.token = token;
    this.templates = templates;
    this.mailbox = new Mailbox({ limits, now, random: random(seed), categoryOf: (name) => this.#categoryOf(name) });
    this.statuses = new StatusFeed(webhook, random(seed + 1));
    this.#wire = openWire((request, line) => this.#answer(request, line), options.port);
  }

  /** `127.0.0.1:<port>` */
  get host(): string {
    return this.#wire.host;
  }

  /** What stands before the API's version in an address. */
  get origin(): string {
    return `http://${this.host}`;
  }

  /** The value of `WHATSAPP_API_URL`. */
  get url(): string {
    return `${this.origin}/v26.0`;
  }

  /** Whether nobody is connected and nothing is left to be carried out. */
  get isIdle(): boolean {
    return this.#wire.connectionCount === 0 && this.#undecided === 0;
  }

  /** Lets the next requests go wrong in these ways, one each; undefined lets one go well. */
  next(...script: (Misbehaviour | undefined)[]): void {
    this.#script.push(...script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.resolve();
    await this.#wire[Symbol.asyncDispose]();
    await Promise.all(this.#background);
  }

  async #answer(request: Request, line: Line): Promise<Response> {
    const { pathname } = new URL(request.url);
    const path = pathname.replace(/^\/v\d+\.\d+/, "");
    this.requests.push(`${request.method} ${path}`);
    this.#undecided++;
    const { good, bad } = await this.#decide(request, path).finally(() => this.#undecided--);
    if (!bad) return good;
    this.misbehaved++;
    return await spoil(good, bad.answer, { line, stopped: this.#stop.promise });
  }

  /** Carries a request out, unless it is to go wrong; says what a good answer is, and what the client is to see instead. */
  async #decide(request: Request, path: string): Promise<{ good: Response; bad?: Misbehaviour }> {
    const { latencyMs } = this.#options;
    if (latencyMs) await new Promise((resolve) => setTimeout(resolve, latencyMs));
    if (request.headers.get("authorization") !== `Bearer ${this.token}`) return { good: graphError(190) };
    const body = request.headers.get("content-type")?.includes("json") ? await request.json().catch(() => ({})) : {};
    const bad = this.#misbehaviour(body.biz_opaque_callback_data ?? `${request.method} ${path}`);
    const good = bad?.accepts === false ? Response.json({}) : await this.#route(request, path, body);
    return { good, bad };
  }

  #misbehaviour(intent: string): Misbehaviour | undefined {
    const count = (this.#arrivals.get(intent) ?? 0) + 1;
    this.#arrivals.set(intent, count);
    return this.#script.length > 0 ? this.#script.shift() : this.#options.misbehave?.({ intent, count });
  }

  async #route(request: Request, path: string, body: Record<string, unknown>): Promise<Response> {
    const [, id = "", edge] = path.split("/");
    const route = `${request.method} ${id === "files" ? "files" : edge ?? ""}`;
    if (route === "POST messages") return body.status === "read" ? this.mailbox.read(body) : await this.#send(id, body);
    if (route === "POST media") return await this.media.upload(request);
    if (route === "GET files") return this.media.download(edge!);
    if (route === "GET ") return this.media.describe(id);
    if (route === "DELETE ") return this.media.remove(id);
    if (route !== "GET message_templates") return graphError(100, { details: "Unknown path" });
    return templatePage(this.templates, `${this.url}${path}`, new URL(request.url).searchParams);
  }

  async #send(phoneNumberId: string, body: Record<string, unknown>): Promise<Response> {
    const message = this.mailbox.accept(phoneNumberId, body);
    if (message instanceof Response) return message;
    const { course = () => ["sent", "delivered", "read"], statuses } = this.#options;
    this.statuses.add(statusesOf(message, course(message)));
    if (statuses?.when === "before_answer") await this.statuses.deliver(statuses);
    if (statuses?.when === "after_answer") this.#later(() => this.statuses.deliver(statuses));
    return acceptance(message);
  }

  #later(work: () => Promise<void>): void {
    const done = new Promise<void>((resolve) => setTimeout(resolve)).then(work)
      .finally(() => this.#background.delete(done));
    this.#background.add(done);
  }

  #categoryOf(template: string | undefined): string {
    return this.templates.find(({ name }) => name === template)?.category.toLowerCase() ?? "utility";
  }
}

/** Starts one: `await using graph = startFakeGraph({ ... })`. */
export function startFakeGraph(options: FakeGraphOptions = {}): FakeGraph {
  return new FakeGraph(options);
}
