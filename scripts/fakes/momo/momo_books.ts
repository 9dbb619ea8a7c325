import { type Currency, parseMoney } from "../../../shared/money.ts";

/** What may be asked of MTN, as it stands in the path. */
export type MomoResource = "requesttopay" | "refund" | "transfer";

/** A request that MTN took. */
export interface MomoRequest {
  /** `X-Reference-Id` */
  id: string;
  resource: MomoResource;
  amount: string;
  currency: string;
  externalId: string;
  /** The payer's or payee's number, without plus; of a refund none. */
  party: string | null;
  /** Of a refund: the request that it gives back. */
  refunded: string | null;
  callbackUrl: string | null;
  payerMessage: string;
  payeeNote: string;
}

/** What becomes of a request. */
export interface MomoCourse {
  /** Milliseconds until the payer has decided; Infinity leaves it to `decide()`. */
  afterMs?: number;
  /** Why it fails; nothing when it succeeds. */
  reason?: string;
  /** What MTN moves instead of the amount asked for. */
  movedAmount?: string;
}

/** A request and what became of it. */
export interface MomoEntry extends MomoRequest {
  course: MomoCourse;
  decidedAt: number;
  financialTransactionId: string;
}

/** What MTN knows: the truth that our ledger is to agree with. */
export class MomoBooks {
  readonly entries = new Map<string, MomoEntry>();

  /** @param now - the clock, in milliseconds */
  constructor(readonly now: () => number) {}

  add(request: MomoRequest, course: MomoCourse): MomoEntry {
    const entry = {
      ...request,
      course: this.#isTooMuch(request) ? { reason: "NOT_ALLOWED" } : course,
      decidedAt: this.now() + (course.afterMs ?? 0),
      financialTransactionId: String(10_000_000_000 + this.entries.size),
    };
    this.entries.set(request.id, entry);
    return entry;
  }

  /** Lets all that is open be decided now. */
  decide(): void {
    for (const entry of this.entries.values()) entry.decidedAt = Math.min(entry.decidedAt, this.now());
  }

  statusOf({ course, decidedAt }: MomoEntry): "PENDING" | "SUCCESSFUL" | "FAILED" {
    if (this.now() < decidedAt) return "PENDING";
    return course.reason === undefined ? "SUCCESSFUL" : "FAILED";
  }

  /** What MTN holds for us, in minor units: what came in less what went out. */
  balance(currency: Currency): number {
    const moved = [...this.entries.values()].filter((entry) =>
      entry.currency === currency && this.statusOf(entry) === "SUCCESSFUL"
    );
    return moved.reduce((sum, entry) => sum + (entry.resource === "requesttopay" ? 1 : -1) * movedBy(entry), 0);
  }

  /** A request's JSON, as a look-up and a callback show it. */
  shown(entry: MomoEntry): Record<string, unknown> {
    const { resource, party, amount, currency, externalId, payerMessage, payeeNote, course } = entry;
    const status = this.statusOf(entry);
    return {
      amount: status === "SUCCESSFUL" ? course.movedAmount ?? amount : amount,
      currency,
      externalId,
      ...(party !== null &&
        { [resource === "transfer" ? "payee" : "payer"]: { partyIdType: "MSISDN", partyId: party } }),
      payerMessage,
      payeeNote,
      status,
      ...(status === "SUCCESSFUL" && { financialTransactionId: entry.financialTransactionId }),
      ...(status === "FAILED" && { reason: this.#reason(entry) }),
    };
  }

  /** MTN writes it in either way. */
  #reason({ id, course: { reason } }: MomoEntry): unknown {
    return id.charCodeAt(0) % 2 === 0 ? reason : { code: reason, message: "The request failed." };
  }

  /** More than is left of the payment that is to be given back. */
  #isTooMuch({ resource, refunded, ...request }: MomoRequest): boolean {
    if (resource !== "refund") return false;
    const original = this.entries.get(refunded ?? "");
    if (!original || this.statusOf(original) !== "SUCCESSFUL") return true;
    const refunds = [...this.entries.values()].filter((entry) =>
      entry.refunded === refunded && this.statusOf(entry) !== "FAILED"
    );
    const given = refunds.reduce((sum, entry) => sum + movedBy(entry), 0);
    return given + minor(request.amount, request.currency) > movedBy(original);
  }
}

function movedBy({ amount, currency, course }: MomoEntry): number {
  return minor(course.movedAmount ?? amount, currency);
}

function minor(amount: string, currency: string): number {
  return Number(parseMoney(amount, currency as Currency));
}
