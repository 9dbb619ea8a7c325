import { assertEquals, assertObjectMatch, assertRejects } from "@std/assert";
import { eventOf, verify } from "shared/payments/webhooks/momo_sms.ts";
import { Problem } from "shared/problem.ts";
import { MOMO_TEXTS, NOISE_TEXTS } from "./momo_texts.ts";

const NOW = new Date("2026-05-10T14:31:00Z");
const SECONDS = NOW.getTime() / 1000;
const BODY = new TextEncoder().encode(`{"message":"Muraho \\ud83d\\ude00"}`);
const SECRETS = ["old", "new"];

async function hexOf(text: string, secret: string): Promise<string> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function signatureAt(time: number | string, secret = "new", body = BODY): Promise<string> {
  return `t=${time},v1=${await hexOf(`${time}.${new TextDecoder().decode(body)}`, secret)}`;
}

function verifyHeader(header: string | null, secrets = SECRETS): Promise<void> {
  return verify(BODY, new Headers(header === null ? {} : { "x-signature": header }), secrets, NOW);
}

for (const secret of SECRETS) {
  Deno.test(`verify() accepts what the secret "${secret}" signed`, async () => {
    await verifyHeader(await signatureAt(SECONDS, secret));
  });
}

Deno.test("verify() knows what `openssl dgst -sha256 -hmac old` makes of `1778423460.{}`", async () => {
  const header = "t=1778423460,v1=c522e1b5fa284b8df1416b8a30ebb36a21066c99077c34fb68cff007c99719c3";

  await verify(
    new TextEncoder().encode("{}"),
    new Headers({ "x-signature": header }),
    ["old"],
    new Date(1778423460_000),
  );
});

for (const skew of [-300, 300]) {
  Deno.test(`verify() accepts a clock that is off by ${skew} s`, async () => {
    await verifyHeader(await signatureAt(SECONDS + skew));
  });
}

Deno.test("verify() accepts a second signature while secrets change", async () => {
  await verifyHeader(`${await signatureAt(SECONDS, "next")},v1=${(await signatureAt(SECONDS)).split("v1=")[1]}`);
});

const good = await signatureAt(SECONDS);
const refused: Record<string, string | null> = {
  "no header": null,
  "an empty header": "",
  "a stale signature": await signatureAt(SECONDS - 301),
  "a signature of the future": await signatureAt(SECONDS + 301),
  "another secret": await signatureAt(SECONDS, "guess"),
  "another body": await signatureAt(SECONDS, "new", new TextEncoder().encode("{}")),
  "a time that was not signed": good.replace(`t=${SECONDS}`, `t=${SECONDS + 1}`),
  "no time": good.replace(/^t=\d+,/, ""),
  "two times": `t=${SECONDS - 9},${good}`,
  "a time that is no number": await signatureAt(`${SECONDS}.5`),
  "a time in milliseconds": await signatureAt(SECONDS * 1000),
  "another scheme": good.replace("v1=", "v0="),
  "a signature that is too short": good.slice(0, -2),
  "no signature": `t=${SECONDS},v1=`,
  "the signature alone": good.split("v1=")[1]!,
  "one of many guesses": `t=${SECONDS},v1=${"00".repeat(32)},v1=${"11".repeat(32)},${good.split(",")[1]}`,
};

for (const [name, header] of Object.entries(refused)) {
  Deno.test(`verify() refuses ${name}`, async () => {
    const problem = await assertRejects(() => verifyHeader(header), Problem);

    assertEquals(problem.code, "signature_invalid");
  });
}

Deno.test("verify() refuses everybody when there are no secrets", async () => {
  await assertRejects(() => verifyHeader(good, []), Problem);
});

function bodyOf(fields: Record<string, unknown>) {
  return new TextEncoder().encode(JSON.stringify({ sender: "M-Money", receiving_number: "+250788000000", ...fields }));
}

Deno.test("eventOf() names an event after the number that got it and MTN's id", async () => {
  const { text } = MOMO_TEXTS["money from a person whose number is masked"]!;

  assertObjectMatch(await eventOf(bodyOf({ message: text })) ?? {}, {
    event_id: "+250788000000 received 76662021700",
    event_type: "received",
    signal: {
      kind: "charge",
      status: "succeeded",
      evidence: "sms",
      attempt_id: null,
      amount: 2000,
      currency: "RWF",
      provider_id: "76662021700",
      payer_suffix: "001",
      payer_name: "Aline Uwase",
      occurred_at: "2026-05-10T14:30:51.000Z",
    },
    payload: { receiving_number: "+250788000000", sender: "M-Money", receipt: { balance: 12000 } },
  });
});

Deno.test("eventOf() names an event without an id after its time, amount and balance", async () => {
  const { text } = MOMO_TEXTS["a cash deposit"]!;

  const event = await eventOf(bodyOf({ message: text }));

  assertEquals(event?.event_id, "+250788000000 cash_deposit 2026-05-11T16:43:49.000Z 40000 40400");
});

Deno.test("eventOf() makes a payment to us only of money that comes in from somebody", async () => {
  const kinds = await Promise.all(
    Object.values(MOMO_TEXTS).map(async ({ text }) => {
      const event = await eventOf(bodyOf({ message: text }));
      return event?.signal.kind === "charge" ? [event.event_type] : [];
    }),
  );

  assertEquals(kinds.flat(), ["received", "received", "cash_deposit"]);
});

for (const [name, { text }] of Object.entries(NOISE_TEXTS)) {
  Deno.test(`eventOf() gives nothing of ${name}`, async () => {
    assertEquals(await eventOf(bodyOf({ message: text })), null);
  });
}

Deno.test("eventOf() shows a text about money that it cannot read by its shape", async () => {
  const event = await eventOf(bodyOf({ message: "You have got 700 RWF from Aline" }));

  assertObjectMatch(event ?? {}, {
    event_type: "unreadable",
    signal: { kind: "other" },
    payload: { shape: "You have x 000 RWF from x" },
  });
});

for (
  const [name, body] of Object.entries({
    "no JSON": new TextEncoder().encode("message=OTP 998877"),
    "no message": bodyOf({}),
    "a receiving number that is none": bodyOf({ message: "OTP 998877", receiving_number: "0788" }),
  })
) {
  Deno.test(`eventOf() refuses ${name} without repeating it`, async () => {
    const problem = await assertRejects(() => eventOf(body), Problem);

    assertEquals(problem.code, "validation_failed");
    assertEquals(JSON.stringify(problem.parts).includes("998877"), false);
  });
}
