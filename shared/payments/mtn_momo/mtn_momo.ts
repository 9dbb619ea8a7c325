import { answered, inDoubt, refused, unheard } from "../answered.ts";
import type { PaymentAttempt, PaymentProvider, ProviderAnswer } from "../payment_provider.ts";
import type { Heard } from "../provider_call.ts";
import type { MomoApi, MomoProduct } from "./momo_api.ts";
import { callMomo } from "./momo_call.ts";
import { failedFor, isRefusal, MomoReason } from "./momo_reason.ts";
import { momoBody, momoHeaders } from "./momo_request.ts";
import { MomoResult, momoSignal } from "./momo_result.ts";

const RESOURCES = { charge: "requesttopay", refund: "refund", payout: "transfer" } as const;

/**
 * MTN Mobile Money: requests to pay by the Collection product, refunds and transfers by Disbursement.
 *
 * The attempt's id is MTN's `X-Reference-Id`: the same request again is answered with 409 and moves nothing.
 */
export function mtnMomo(api: MomoApi): PaymentProvider {
  const request = (attempt: PaymentAttempt) => ask(api, attempt);
  return { charge: request, refund: request, payout: request, check: (attempt) => check(api, attempt) };
}

async function ask(api: MomoApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const product = productOf(api, attempt);
  if (!product) return { kind: "not_sent", reason: "not_configured" };
  const body = momoBody(attempt);
  if (!body) return refused(attempt, "not_allowed");
  const headers = await momoHeaders(api, attempt);
  const answer = await callMomo(api, { product, method: "POST", path: RESOURCES[attempt.kind], headers, body });
  return answer.kind === "heard" ? taken(attempt, answer) : unheard(attempt, answer);
}

/** 202 says that MTN will ask the payer; 409 that it was asked to already. */
function taken(attempt: PaymentAttempt, answer: Heard): ProviderAnswer {
  if (answer.status === 202 || answer.status === 409) {
    return answered(attempt, { status: "processing" }, attempt.kind === "charge" ? { type: "approve_on_phone" } : null);
  }
  const reason = reasonOf(answer);
  return isRefusal(answer.status, reason) ? answered(attempt, failedFor(reason)) : inDoubt(attempt);
}

async function check(api: MomoApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const product = productOf(api, attempt);
  if (!product) return { kind: "not_sent", reason: "not_configured" };
  const path = `${RESOURCES[attempt.kind]}/${attempt.id}`;
  const answer = await callMomo(api, { product, method: "GET", path });
  if (answer.kind !== "heard") return unheard(attempt, answer);
  if (isUnheardOf(answer)) return { kind: "not_found" };
  const { data } = MomoResult.safeParse(answer.json);
  return data && answer.status === 200 ? answered(attempt, momoSignal(attempt, data)) : inDoubt(attempt);
}

/** The request never took. The page of something in front of MTN does not say that. */
function isUnheardOf(answer: Heard): boolean {
  return answer.status === 404 && (answer.text.trim() === "" || reasonOf(answer) === "RESOURCE_NOT_FOUND");
}

function reasonOf({ json }: Heard): string | null {
  return MomoReason.safeParse(json).data ?? null;
}

function productOf(api: MomoApi, { kind }: PaymentAttempt): MomoProduct | null {
  return kind === "charge" ? api.collection : api.disbursement;
}
