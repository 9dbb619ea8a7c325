import { converse, type Input } from "shared/conversation/converse.ts";
import type { Command, Outcome as CommandOutcome } from "shared/conversation/command.ts";
import type { Consent } from "shared/conversation/menu.ts";
import type { News } from "shared/conversation/news.ts";
import { type Person, readSession } from "shared/conversation/session.ts";
import type { Turn } from "shared/conversation/turn.ts";
import type { Json } from "shared/db/database.types.ts";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { Problem } from "shared/problem.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";
import { eachOnItsOwn } from "./each_on_its_own.ts";

/** What `claim_conversation_turns()` gives. */
interface Claim {
  id: number;
  lease_token: number;
  correlation_id: string | null;
  /** Null for news. */
  message_id: string | null;
  session: Parameters<typeof readSession>[0] & { id: string; contact_id: string };
  person: Person;
  message?: Record<string, unknown>;
  consent?: Consent | null;
  news?: News;
}

const CONCURRENCY = 10;
/** A message, its commands and its end: calls of the database only. */
const TIMEOUT_MS = 30_000;
/** More commands in a turn than any has: a dialogue that goes round in circles fails rather than goes on. */
const MAX_COMMANDS = 4;

/**
 * The conversation: what people write, and news of their trips, answered by the dialogue. Commands run once for each
 * message, and the session, the replies and the message's end commit together, so a message is answered once, whenever
 * a worker dies.
 */
export function conversation(call: ServiceRpc, now: () => Date = () => new Date()): ClaimedSource<Claim> {
  return {
    name: "conversation",
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    async claim(max_count, lease_seconds) {
      return await call("claim_conversation_turns", { max_count, lease_seconds }) as unknown as Claim[];
    },
    async handle(claim, signal) {
      if (signal.aborted) return { kind: "released" };
      return { kind: "done", result: await answer(call, claim, now()) } satisfies Outcome;
    },
    complete: (settled) => eachOnItsOwn(settled, (each) => finish(call, each)),
    fail: (settled) => fail(call, settled),
    release: async (settled) => (await call("release_messages", leasesOf(settled))).length,
  };
}

/** Lets the dialogue speak until it wants nothing done any more. */
async function answer(call: ServiceRpc, claim: Claim, now: Date): Promise<Turn> {
  const { person, session: { contact_id } } = claim;
  let turn = converse(readSession(claim.session), person, inputOf(claim), now);
  for (let count = 0; turn.command; count++) {
    if (count === MAX_COMMANDS) throw new Error("the dialogue wants too much done");
    const { command, replies } = turn;
    const outcome = await run(call, claim, contact_id, command);
    const next = converse(turn.session, person, { kind: "outcome", command, outcome }, now);
    turn = { ...next, replies: [...replies, ...next.replies] };
  }
  return turn;
}

function inputOf({ message, consent, news }: Claim): Input {
  if (news) return { kind: "news", news };
  return { kind: "message", message: message ?? {}, consent: consent ?? null };
}

async function run(call: ServiceRpc, claim: Claim, contact_id: string, command: Command): Promise<CommandOutcome> {
  const args = { message_id: claim.message_id!, contact_id, command: wire(command) };
  return await call("run_conversation_command", args, traceOf(claim)) as unknown as CommandOutcome;
}

async function finish(call: ServiceRpc, { item, result }: Settled<Claim>): Promise<void> {
  const { session: { state, context, locale }, replies } = result as Turn;
  const args = {
    message_id: item.id,
    lease_token: item.lease_token,
    session_id: item.session.id,
    expected_version: item.session.version,
    next: wire({ state, context, locale }),
    replies: wire(replies),
  };
  try {
    await call("finish_conversation_turn", args, traceOf(item));
  } catch (error) {
    // The session has moved meanwhile (its time was over, two contacts became one): the message is answered anew.
    if (!(error instanceof Problem) || !ANEW.includes(error.code)) throw error;
    await fail(call, [{ item, error }]);
  }
}

const ANEW = ["session_version_conflict", "session_not_found"];

async function fail(call: ServiceRpc, settled: Settled<Claim>[]): Promise<number> {
  const errors = settled.map(({ error }) =>
    error instanceof Problem ? error.code : (error as Error)?.name ?? "unknown"
  );
  return (await call("fail_messages", { ...leasesOf(settled), errors })).length;
}

function leasesOf(settled: Settled<Claim>[]): { message_ids: number[]; lease_tokens: number[] } {
  return {
    message_ids: settled.map(({ item }) => item.id),
    lease_tokens: settled.map(({ item }) => item.lease_token),
  };
}

/** As JSON carries it; what is undefined stays out. */
function wire(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

function traceOf({ correlation_id }: Claim): { correlationId?: string } {
  return correlation_id === null ? {} : { correlationId: correlation_id };
}
