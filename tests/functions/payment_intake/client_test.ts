import { FunctionsHttpError } from "@supabase/supabase-js";
import { assert, assertEquals } from "@std/assert";
import { intakeTest } from "./intake.ts";

intakeTest("supabase-js pays, looks the payment up and is told why it may not", async (intake) => {
  const [rider, driver] = [await intake.person(1_000), await intake.person()];
  const { functions } = intake.client(rider);
  const body = { amount: 700, currency: "RWF", method: "wallet", to_account_id: driver.accountId };
  const headers = { "idempotency-key": crypto.randomUUID() };

  const paid = await functions.invoke("payment-intake/payments", { body, headers });
  const seen = await functions.invoke(`payment-intake/payments/${paid.data.id}`, { method: "GET" });
  const refused = await functions.invoke("payment-intake/payments", { body });

  assertEquals([paid.error, paid.data.status, seen.data], [null, "succeeded", paid.data]);
  assert(refused.error instanceof FunctionsHttpError);
  assertEquals((await refused.error.context.json()).type, "/problems/idempotency_key_missing");
});

intakeTest("a browser may send the key and read whether an answer is a replay", async (intake) => {
  const preflight = await intake.fetch("/payments", {
    method: "OPTIONS",
    headers: {
      "origin": "https://app.example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type, idempotency-key",
    },
  });

  assertEquals(preflight.status, 204);
  assertEquals(preflight.headers.get("access-control-allow-headers")?.includes("idempotency-key"), true);
  const answer = await intake.fetch("/payments", { method: "POST", headers: { origin: "https://app.example.com" } });
  assertEquals(answer.headers.get("access-control-expose-headers")?.includes("Idempotent-Replayed"), true);
  await answer.body?.cancel();
});
