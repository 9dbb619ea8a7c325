import { assertEquals } from "@std/assert";
import { expoReceipts } from "shared/notifications/push/expo_receipts.ts";
import { expoError, startFakeExpo } from "../../../support/fake_providers/fake_expo.ts";
import { configure, impatientFetch } from "../deliveries.ts";

const failed = (error: string) => ({ status: "error", message: "No", details: { error } });

Deno.test("expoReceipts() tells what is settled, what is gone and what is ours to mend", async () => {
  const receipts = {
    t1: { status: "ok" },
    t2: failed("DeviceNotRegistered"),
    t3: failed("InvalidCredentials"),
    t4: failed("InvalidCredentials"),
    t5: { status: "error", message: "No" },
  };
  await using provider = startFakeExpo({ receipts });
  configure({ EXPO_API_URL: `${provider.url}/--/api/v2`, EXPO_ACCESS_TOKEN: "expo-token" }, provider);

  const read = await expoReceipts(impatientFetch, ["t1", "t2", "t3", "t4", "t5", "t6"]);

  assertEquals(read, {
    kind: "read",
    settled: ["t1", "t2", "t3", "t4", "t5"],
    gone: ["t2"],
    errors: { InvalidCredentials: 2, unnamed: 1 },
  });
  const [request] = provider.requests;
  assertEquals([request!.path, request!.headers.get("authorization")], [
    "/--/api/v2/push/getReceipts",
    "Bearer expo-token",
  ]);
});

Deno.test("expoReceipts() believes nothing about tickets that it did not ask for, nor what it cannot read", async () => {
  await using provider = startFakeExpo();
  provider.next(
    Response.json({ data: { t1: { status: "later" }, t2: { status: "ok" }, t9: failed("DeviceNotRegistered") } }),
  );
  configure({ EXPO_API_URL: provider.url }, provider);

  const read = await expoReceipts(impatientFetch, ["t1", "t2"]);

  assertEquals(read, { kind: "read", settled: ["t2"], gone: [], errors: {} });
});

for (const answer of ["close", "garbage", { status: 503 }, "no_id"] as const) {
  Deno.test(`expoReceipts() settles nothing after ${JSON.stringify(answer)}`, async () => {
    await using provider = startFakeExpo({ receipts: { t1: { status: "ok" } } });
    provider.next(answer);
    configure({ EXPO_API_URL: provider.url }, provider);

    assertEquals((await expoReceipts(impatientFetch, ["t1"])).kind, "temporary");
  });
}

Deno.test("expoReceipts() settles nothing when Expo refuses", async () => {
  await using provider = startFakeExpo();
  provider.next(expoError(401, "UNAUTHORIZED"));
  configure({ EXPO_API_URL: provider.url }, provider);

  assertEquals((await expoReceipts(impatientFetch, ["t1"])).kind, "rejected");
});
