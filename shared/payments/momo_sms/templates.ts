import { template } from "./template.ts";

/** MTN Rwanda's payment messages, as its M-Money sender writes them. Each begins differently, so one text fits one at most. */
export const TEMPLATES = [
  template(
    "received",
    "in",
    "You have received {amount} RWF from {name} ({payer}) on your mobile money account at {time}. " +
      "Message from sender: {message}. Your new balance: {balance} RWF. Financial Transaction Id: {id}.",
  ),
  template(
    "cash_deposit",
    "in",
    "*113*R*A bank deposit of {amount} RWF has been added to your mobile money account at {time}. " +
      "Your NEW BALANCE: {balance} RWF. Cash Deposit::{any}::{phone}.{more}",
  ),
  template(
    "code_payment",
    "out",
    "TxId: {id}. Your payment of {amount} RWF to {name} {number} has been completed at {time}. " +
      "Your new balance: {balance} RWF. Fee was {fee} RWF.{more}",
  ),
  template(
    "transfer",
    "out",
    "*165*S*{amount} RWF transferred to {name} ({phone}) from {number} at {time}. " +
      "Fee was: {fee} RWF. New balance: {balance} RWF.{more}",
  ),
  template(
    "merchant_debit",
    "out",
    "*164*S*Y'ello,A transaction of {amount} RWF by {name} on your MOMO account was successfully completed at {time}. " +
      "Message from debit receiver: {message}. Your new balance: {balance} RWF. Fee was {fee} RWF. " +
      "Financial Transaction Id: {id}. External Transaction Id: {any}.*EN#",
  ),
  template(
    "service_payment",
    "out",
    "*162*TxId:{id}*S*Your payment of {amount} RWF to {name} with token {any} has been completed at {time}. " +
      "Fee was {fee} RWF. Your new balance: {balance} RWF.{more}",
  ),
  template(
    "failed",
    "none",
    "*143*R*Y'ello, the transaction with amount {amount} RWF for {name} with message: {message} failed at {time}.{more}",
  ),
  template(
    "failed_payment",
    "none",
    "*143*TxId:{id}*S*Your payment of {amount} RWF to {name} has failed at {time}.{more}",
  ),
  template(
    "reversed",
    "in",
    "*143*S*Your transaction to {name} ({phone}) with {amount} RWF has been reversed at {time}. " +
      "Your new balance is {balance} RWF.{more}",
  ),
  template(
    "reversal_initiated",
    "none",
    "A reversal has been initiated for your transaction to {name} ({phone}) with {amount} RWF on {time}.{more}",
  ),
  template(
    "withdrawal",
    "out",
    "You {name} ({payer}) have via agent: {any} ({number}), withdrawn {amount} RWF from your mobile money account: {number} " +
      "at {time}{any}Your new balance: {balance} RWF. Fee paid: {fee} RWF.{any}Financial Transaction Id: {id}.",
  ),
];
