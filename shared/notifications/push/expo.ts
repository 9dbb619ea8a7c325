import * as z from "zod";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { type HttpProvider, notTaken, notTakenBy, post, type ProviderAnswer } from "../http_provider.ts";
import type { Delivery, NotTaken } from "../provider.ts";
import { secondsToLive } from "../seconds_to_live.ts";
import { expoRequest } from "./expo_request.ts";
import type { ExpoEndpoint } from "./push_address.ts";
import { pushContent } from "./push_content.ts";
import { type EndpointOutcome, LONGEST_SECONDS, type PushService } from "./push_service.ts";

/** What Expo takes in one request; nobody has as many devices. */
const MAX_MESSAGES = 100;

/**
 * Errors of single messages that heal. A device that is gone says `DeviceNotRegistered`; the others are faults of ours.
 *
 * @see Expo, "Send notifications with the Expo Push Service": errors
 */
const TEMPORARY_ERRORS = ["MessageRateExceeded", "ExpoError", "ProviderError"];

const Ticket = z.union([
  z.object({ status: z.literal("ok"), id: z.string() }),
  z.object({
    status: z.literal("error"),
    message: z.string().catch(""),
    details: z.object({ error: z.string() }).catch({ error: "unnamed" }),
  }),
]);
type Ticket = z.output<typeof Ticket>;
const Tickets = z.object({ data: z.array(Ticket) });
const Failure = z.object({
  errors: z.tuple([z.object({ code: z.string(), message: z.string().catch("") })], z.unknown()),
});

/**
 * Apps, by Expo. The devices of one person go in one request; different people's do not, so that nobody's fault is
 * another's. A repeated message replaces itself on the device (`tag`, `collapseId`).
 */
export function expo(fetch: OutboundFetch): PushService<ExpoEndpoint> {
  const provider: HttpProvider = { name: "expo", fetch, isRepeatable: true };

  return async function send(delivery, endpoints): Promise<EndpointOutcome[]> {
    const sent = endpoints.slice(0, MAX_MESSAGES);
    const message = messageOf(delivery);
    const messages = sent.map(({ address }) => ({ to: address.token, ...message }));
    const answer = await post(provider, expoRequest("push/send", messages));
    if (answer.kind !== "answered") return sent.map(({ id }) => ({ id, outcome: answer }));
    const tickets = ticketsOf(answer, sent.length);
    if (tickets) return sent.map(({ id }, index) => outcomeOf(provider, id, tickets[index]!));
    const failure = failureOf(provider, answer);
    // Tokens of two of our apps: nothing was sent, and each by itself is.
    const isMixed = failure.code === "PUSH_TOO_MANY_EXPERIENCE_IDS" && sent.length > 1;
    if (isMixed) return (await Promise.all(sent.map((endpoint) => send(delivery, [endpoint])))).flat();
    return sent.map(({ id }) => ({ id, outcome: failure }));
  };
}

function messageOf(delivery: Delivery<unknown>): Record<string, unknown> {
  const { delivery_id, is_critical, expires_at } = delivery;
  return {
    ...pushContent(delivery),
    sound: "default",
    priority: is_critical ? "high" : "default",
    ttl: secondsToLive(expires_at, new Date(), LONGEST_SECONDS),
    tag: delivery_id,
    collapseId: delivery_id,
  };
}

/** One for each message, in their order; undefined when the answer has no such thing. */
function ticketsOf({ status, json }: ProviderAnswer, count: number): Ticket[] | undefined {
  const tickets = status === 200 ? Tickets.safeParse(json).data?.data : undefined;
  return tickets?.length === count ? tickets : undefined;
}

function outcomeOf(provider: HttpProvider, id: string, ticket: Ticket): EndpointOutcome {
  if (ticket.status === "ok") {
    return { id, outcome: { kind: "sent", provider: provider.name, provider_message_id: ticket.id } };
  }
  const { message, details: { error } } = ticket;
  const kind = TEMPORARY_ERRORS.includes(error) ? "temporary" : "rejected";
  return {
    id,
    outcome: notTaken(provider, kind, { code: error, detail: message }),
    isGone: error === "DeviceNotRegistered",
  };
}

function failureOf(provider: HttpProvider, answer: ProviderAnswer): NotTaken {
  const { data } = Failure.safeParse(answer.json);
  if (!data) return notTakenBy(provider, answer);
  const [{ code, message }] = data.errors;
  return notTakenBy(provider, answer, { code, detail: message });
}
