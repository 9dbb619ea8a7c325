/** An account as the model has it. */
export interface ModelAccount {
  id: string;
  balance: number;
  minimum: number;
  maximum: number;
}

interface ModelHold {
  account: number;
  amount: number;
  to: number;
  status: "held" | "captured" | "released";
}

interface ModelPayment {
  from: number;
  to: number;
  amount: number;
  refunded: number;
}

type Verdict = "accepted" | string;

/** A fee of so many hundredths of a percent, in whole units, half away from zero. */
export function feeOf(amount: number, basisPoints: number): number {
  return Math.floor((amount * basisPoints + 5_000) / 10_000);
}

/** What a refund takes from those who got and gives to those who paid, of what is left between them; null: all of it. */
export function refundParts(left: readonly number[], amount: number | null): number[] {
  if (amount === null) return [...left];
  const [paid, got] = [
    split(amount, left.map((each) => Math.max(0, -each))),
    split(amount, left.map((each) => Math.max(0, each))),
  ];
  return left.map((_, index) => got[index]! - paid[index]!);
}

/** By largest remainder, the first of equal ones. */
function split(amount: number, weights: number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const parts = weights.map((weight) => Math.floor(amount * weight / whole));
  const missing = amount - parts.reduce((sum, part) => sum + part, 0);
  const byRemainder = weights.map((weight, index) => ({ index, remainder: amount * weight % whole }));
  byRemainder.sort((one, other) => other.remainder - one.remainder || one.index - other.index);
  for (const { index } of byRemainder.slice(0, missing)) parts[index]!++;
  return parts;
}

/** What the ledger promises, without locks, versions or SQL: who has how much, and what is refused as what. */
export class LedgerModel {
  readonly holds: ModelHold[] = [];
  readonly payments: ModelPayment[] = [];

  constructor(readonly accounts: ModelAccount[]) {}

  heldOf(account: number): number {
    const open = this.holds.filter((hold) => hold.account === account && hold.status === "held");
    return open.reduce((sum, { amount }) => sum + amount, 0);
  }

  transfer(from: number, to: number, amount: number): Verdict {
    const verdict = this.#move(from, to, amount, 0);
    if (verdict === "accepted") this.payments.push({ from, to, amount, refunded: 0 });
    return verdict;
  }

  hold(account: number, to: number, amount: number): Verdict {
    const { balance, minimum } = this.accounts[account]!;
    if (balance - this.heldOf(account) - amount < minimum) return "insufficient_funds";
    this.holds.push({ account, amount, to, status: "held" });
    return "accepted";
  }

  capture(number: number, amount: number): Verdict {
    const hold = this.holds[number]!;
    if (hold.status !== "held") return "wallet_hold_ended";
    if (amount > hold.amount) return "wallet_hold_exceeded";
    const verdict = this.#move(hold.account, hold.to, amount, hold.amount);
    if (verdict !== "accepted") return verdict;
    hold.status = "captured";
    this.payments.push({ from: hold.account, to: hold.to, amount, refunded: 0 });
    return "accepted";
  }

  release(number: number): Verdict {
    const hold = this.holds[number]!;
    if (hold.status === "captured") return "wallet_hold_ended";
    hold.status = "released";
    return "accepted";
  }

  refund(number: number, amount: number): Verdict {
    const payment = this.payments[number]!;
    if (payment.refunded + amount > payment.amount) return "wallet_refund_exceeded";
    const verdict = this.#move(payment.to, payment.from, amount, 0);
    if (verdict === "accepted") payment.refunded += amount;
    return verdict;
  }

  /** The account with the lower id is judged first. */
  #move(from: number, to: number, amount: number, released: number): Verdict {
    const [payer, receiver] = [this.accounts[from]!, this.accounts[to]!];
    const isShort = payer.balance - this.heldOf(from) + released - amount < payer.minimum;
    const isFull = receiver.balance + amount > receiver.maximum;
    if (isShort && (payer.id < receiver.id || !isFull)) return "insufficient_funds";
    if (isFull) return "wallet_balance_too_high";
    payer.balance -= amount;
    receiver.balance += amount;
    return "accepted";
  }
}
