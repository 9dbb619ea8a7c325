import type { MomoReceipt } from "shared/payments/momo_sms/receipt.ts";

/** Invented messages in the words of MTN's, and what they say. */
export const MOMO_TEXTS: Record<string, { text: string; says: Partial<MomoReceipt> }> = {
  "money from a person whose number is masked": {
    text:
      "You have received 2000 RWF from Aline Uwase (*********001) on your mobile money account at 2026-05-10 16:30:51. " +
      "Message from sender: EM7K2Q9XTA. Your new balance:12000 RWF. Financial Transaction Id: 76662021700.",
    says: {
      template: "received",
      direction: "in",
      amount: 2000,
      currency: "RWF",
      balance: 12000,
      fee: null,
      name: "Aline Uwase",
      payer_suffix: "001",
      phone: null,
      provider_id: "76662021700",
      occurred_at: "2026-05-10T14:30:51.000Z",
      sender_message: "EM7K2Q9XTA",
    },
  },
  "money from a person whose number is whole, and no message": {
    text: "You have received 1,250,000 RWF from HABIMANA Jean-Paul (250788000002) on your mobile money account at " +
      "2026-01-01 00:30:00. Message from sender: . Your new balance:1,262,000 RWF. Financial Transaction Id: 76662021701.",
    says: {
      template: "received",
      amount: 1250000,
      balance: 1262000,
      name: "HABIMANA Jean-Paul",
      payer_suffix: "002",
      phone: "+250788000002",
      occurred_at: "2025-12-31T22:30:00.000Z",
      sender_message: null,
    },
  },
  "a cash deposit": {
    text: "*113*R*A bank deposit of 40000 RWF has been added to your mobile money account at 2026-05-11 18:43:49. " +
      "Your NEW BALANCE :40400 RWF. Cash Deposit::CASH::::0::250788000009.Thank you for using MTN MobileMoney.*EN#",
    says: {
      template: "cash_deposit",
      direction: "in",
      amount: 40000,
      balance: 40400,
      name: null,
      payer_suffix: null,
      phone: "+250788000009",
      provider_id: null,
    },
  },
  "a payment to a code": {
    text:
      "TxId: 73214484437. Your payment of 1,000 RWF to Kigali Shop 12845 has been completed at 2026-05-10 16:31:39. " +
      "Your new balance: 1,000 RWF. Fee was 0 RWF.Kanda*182*16# wiyandikishe.",
    says: {
      template: "code_payment",
      direction: "out",
      amount: 1000,
      balance: 1000,
      fee: 0,
      name: "Kigali Shop",
      provider_id: "73214484437",
    },
  },
  "a transfer to a number": {
    text: "*165*S*10000 RWF transferred to Aline Uwase (250788000001) from 36520000 at 2026-05-11 20:34:47 . " +
      "Fee was: 100 RWF. New balance: 28300 RWF. Kugura ama inite cyangwa interineti kuri MoMo, Kanda *182*2*1# .*EN#",
    says: {
      template: "transfer",
      direction: "out",
      amount: 10000,
      fee: 100,
      balance: 28300,
      phone: "+250788000001",
      payer_suffix: null,
      provider_id: null,
    },
  },
  "a debit by a merchant": {
    text:
      "*164*S*Y'ello,A transaction of 5000 RWF by KIGALI SHOP (RW) LTD on your MOMO account was successfully completed at " +
      "2026-06-02 09:08:07. Message from debit receiver: order 7. Your new balance:23300 RWF. Fee was 0 RWF. " +
      "Financial Transaction Id: 14098463509. External Transaction Id: a1b2-c3.*EN#",
    says: {
      template: "merchant_debit",
      direction: "out",
      amount: 5000,
      fee: 0,
      balance: 23300,
      name: "KIGALI SHOP (RW) LTD",
      provider_id: "14098463509",
      sender_message: "order 7",
    },
  },
  "a bundle": {
    text:
      "*162*TxId:13913173274*S*Your payment of 2000 RWF to Airtime with token  has been completed at 2026-05-12 11:41:28. " +
      "Fee was 0 RWF. Your new balance: 25280 RWF . Message: - -. *EN#",
    says: { template: "service_payment", direction: "out", amount: 2000, balance: 25280, name: "Airtime" },
  },
  "electricity, whose token is worth money": {
    text:
      "*162*TxId:13913173275*S*Your payment of 4000 RWF to Cash Power with token 5517-2530-2661-3440 has been completed at " +
      "2026-05-12 11:41:29. Fee was 0 RWF. Your new balance: 21280 RWF . Message: - -. *EN#",
    says: { template: "service_payment", amount: 4000, name: "Cash Power", provider_id: "13913173275" },
  },
  "a transfer that failed": {
    text:
      "*143*R*Y'ello, the transaction with amount 700 RWF for Aline Uwase (250788000001) with message: lunch failed at " +
      "2026-05-12 12:00:00. Please check your balance.*EN#",
    says: { template: "failed", direction: "none", amount: 700, balance: null, provider_id: null },
  },
  "a payment that failed": {
    text:
      "*143*TxId:13913173276*S*Your payment of 900 RWF to Airtime has failed at 2026-05-12 12:00:01. Not enough.*EN#",
    says: { template: "failed_payment", direction: "none", amount: 900, provider_id: "13913173276" },
  },
  "a reversal": {
    text:
      "*143*S*Your transaction to Aline Uwase (250788000001) with 3000 RWF has been reversed at 2026-05-13 08:00:00. " +
      "Your new balance is 31300 RWF. *EN#",
    says: { template: "reversed", direction: "in", amount: 3000, balance: 31300, payer_suffix: null },
  },
  "a reversal that was asked for": {
    text: "A reversal has been initiated for your transaction to Aline Uwase (250788000001) with 3000 RWF on " +
      "2026-05-13 07:00:00. You will be told.",
    says: { template: "reversal_initiated", direction: "none", amount: 3000, balance: null },
  },
  "cash from an agent": {
    text:
      "You Aline Uwase (*********001) have via agent: Agent Sophie (250788000005), withdrawn 20000 RWF from your mobile money " +
      "account: 36520000 at 2026-05-26 02:10:27 and you can now collect your money in cash. Your new balance: 6400 RWF. " +
      "Fee paid: 350 RWF. Message from agent: 1. Financial Transaction Id: 14098463510.",
    says: {
      template: "withdrawal",
      direction: "out",
      amount: 20000,
      fee: 350,
      balance: 6400,
      payer_suffix: null,
      provider_id: "14098463510",
    },
  },
};

/** Invented messages that are no receipts, and why. */
export const NOISE_TEXTS: Record<string, { text: string; reason: string }> = {
  "a one-time password": {
    text: "<#> Dear Customer, your one-time password is : 1234 5678. Do not share it.",
    reason: "one_time_password",
  },
  "a one-time password for a payment": {
    text: "OTP 998877 to pay 5000 RWF to Kigali Shop",
    reason: "one_time_password",
  },
  "an advert with prices": { text: "Yello!Umaze kugura 500 MB kuri 300 RWF. Kanda *345#", reason: "advert" },
  "talk": { text: "Muraho, turahura saa tatu", reason: "no_money" },
  "nothing": { text: " \u0000\ud83d ", reason: "no_money" },
};
