import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { callbackSignal, callbackToken, verifyCallback } from "shared/payments/webhooks/mtn_momo.ts";
import { codeThrownBy } from "../../../support/problems.ts";

const ID = "0193b5a0-0000-7000-8000-000000000001";

async function verdict(id: string, token: string, secrets = ["new", "old"]): Promise<string> {
  return await codeThrownBy(() => verifyCallback(id, token, secrets)) ?? "accepted";
}

Deno.test("callbackToken() is of one transaction and one secret, the first", async () => {
  const token = await callbackToken(ID, ["new", "old"]);

  assertMatch(token, /^[0-9a-f]{64}$/);
  assertEquals(token, await callbackToken(ID, ["new"]));
  assertNotEquals(token, await callbackToken(ID, ["old"]));
  assertNotEquals(token, await callbackToken(ID.replace("1", "2"), ["new"]));
});

Deno.test("verifyCallback() accepts the tokens of all secrets, so that those under way survive a rotation", async () => {
  assertEquals(await verdict(ID, await callbackToken(ID, ["new"])), "accepted");
  assertEquals(await verdict(ID, await callbackToken(ID, ["old"])), "accepted");
  assertEquals(await verdict(ID.toUpperCase(), await callbackToken(ID, ["old"])), "accepted");
});

Deno.test("verifyCallback() refuses any other token", async () => {
  const token = await callbackToken(ID, ["new"]);

  for (const forged of ["", token.slice(1), `${token}0`, token.toUpperCase(), await callbackToken(ID, ["other"])]) {
    assertEquals(await verdict(ID, forged), "signature_invalid");
  }
  assertEquals(await verdict(ID.replace("1", "2"), token), "signature_invalid");
  assertEquals(await verdict(ID, token, []), "signature_invalid");
});

Deno.test("callbackSignal() takes neither amount nor reason from what nobody signed", () => {
  const callback = { status: "SUCCESSFUL", amount: "5000", currency: "RWF", financialTransactionId: "23503452" };

  const { event_type, signal } = callbackSignal(callback, "id");

  assertEquals([event_type, signal.kind, signal.status], ["callback.successful", "charge", "succeeded"]);
  assertEquals([signal.amount, signal.failure_code, signal.provider_id], [null, null, "23503452"]);
});

Deno.test("callbackSignal() is a hint whatever was sent", () => {
  assertEquals(callbackSignal(null, "id").signal.status, "unknown");
  assertEquals(callbackSignal({ payee: { partyId: "250788000000" }, status: "FAILED" }, "id").signal.kind, "payout");
});
