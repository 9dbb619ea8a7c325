import { type BadAnswer, spoil } from "../../../scripts/fakes/graph/misbehaviour.ts";
import { type Line, openWire } from "../../../scripts/fakes/graph/wire.ts";

/** A request as it arrived. */
export interface ArrivedRequest {
  method: string;
  path: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
  text: string;
}

/** What a provider does with a request: answers well, in another way, or badly. */
export type Reaction = "well" | Response | BadAnswer;

/** A provider's HTTP API on this machine, which answers well unless it is told otherwise. */
export class FakeProvider implements AsyncDisposable {
  /** `127.0.0.1:<port>` */
  host = "";
  readonly requests: ArrivedRequest[] = [];
  readonly #script: Reaction[] = [];
  readonly #stop = Promise.withResolvers<void>();
  #wire: AsyncDisposable | undefined;

  constructor(readonly answer: (request: ArrivedRequest) => Response | Promise<Response>) {}

  get url(): string {
    return `http://${this.host}`;
  }

  /** What happens to the next requests, one each. */
  next(...script: Reaction[]): void {
    this.#script.push(...script);
  }

  /** Listens. */
  open(): this {
    const wire = openWire((request, line) => this.#react(request, line));
    this.host = wire.host;
    this.#wire = wire;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.resolve();
    await this.#wire?.[Symbol.asyncDispose]();
  }

  async #react(request: Request, line: Line): Promise<Response> {
    const arrived = await arrivedRequest(request);
    this.requests.push(arrived);
    const reaction = this.#script.shift() ?? "well";
    if (reaction instanceof Response) return reaction;
    const good = await this.answer(arrived);
    return reaction === "well" ? good : await spoil(good, reaction, { line, stopped: this.#stop.promise });
  }
}

async function arrivedRequest(request: Request): Promise<ArrivedRequest> {
  const { method, headers, url } = request;
  const { pathname, search } = new URL(url);
  const body = new Uint8Array(await request.arrayBuffer());
  return { method, path: pathname + search, headers, body, text: new TextDecoder().decode(body) };
}
