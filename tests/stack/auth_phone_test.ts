import { assertEquals, assertMatch } from "@std/assert";
import { decodeJwt } from "jose";
import { apiTest, signedUp, startLocalApi } from "./local_api.ts";

const api = await startLocalApi();
Deno.test.afterAll(() => api.stop());

const password = "a long password";
let lastNumber = 250788000100;

apiTest("verifyOtp() signs a new user in, whose phone is confirmed by it", async () => {
  const phone = newPhone();
  const client = api.client();
  await client.auth.signInWithOtp({ phone, options: { data: { name: "Keza" } } });
  const confirmedBefore = await phoneConfirmedAt(phone);

  const { data } = await client.auth.verifyOtp({ phone, token: codeFor(phone), type: "sms" });

  const claims = decodeJwt<{ phone: string; app_metadata: unknown }>(data.session!.access_token);
  assertEquals(confirmedBefore, null);
  assertEquals(claims.phone, phone.slice(1));
  assertEquals(claims.app_metadata, { provider: "phone", providers: ["phone"] });
  assertEquals(data.user!.user_metadata, { name: "Keza" });
  assertEquals(data.user!.phone_confirmed_at === undefined, false);
});

apiTest("verifyOtp() opens a session that refreshes and ends", async () => {
  const phone = newPhone();
  const client = await signedInByPhone(phone);

  const { data: refreshed } = await client.auth.refreshSession();
  const { error } = await client.auth.signOut();

  assertEquals(refreshed.user!.phone, phone.slice(1));
  assertEquals(error, null);
});

apiTest("verifyOtp() brings a known user back to themselves", async () => {
  const phone = newPhone();
  const first = await (await signedInByPhone(phone)).auth.getUser();

  const again = await (await signedInByPhone(phone)).auth.getUser();

  assertEquals(again.data.user!.id, first.data.user!.id);
});

apiTest("verifyOtp() refuses a wrong code", async () => {
  const phone = newPhone();
  await api.client().auth.signInWithOtp({ phone });

  const refusal = await verify(phone, wrongCodeFor(phone));

  assertEquals(refusal, ["otp_expired", 403]);
});

apiTest("verifyOtp() refuses a code the second time", async () => {
  const phone = newPhone();
  await signedInByPhone(phone);

  const refusal = await verify(phone, codeFor(phone));

  assertEquals(refusal, ["otp_expired", 403]);
});

apiTest("verifyOtp() refuses a code that is ten minutes old", async () => {
  const phone = newPhone();
  await api.client().auth.signInWithOtp({ phone });
  await api.database.sql`
    update auth.phone_codes set expires_at = expires_at - interval '10 minutes' where phone = ${phone.slice(1)}`;

  const refusal = await verify(phone, codeFor(phone));

  assertEquals(refusal, ["otp_expired", 403]);
});

apiTest("verifyOtp() accepts the right code after four wrong ones", async () => {
  const phone = newPhone();
  await api.client().auth.signInWithOtp({ phone });

  for (let tries = 0; tries < 4; tries++) await verify(phone, wrongCodeFor(phone));
  const refusal = await verify(phone, codeFor(phone));

  assertEquals(refusal, [undefined, undefined]);
});

apiTest("verifyOtp() refuses even the right code after five wrong ones at once", async () => {
  const phone = newPhone();
  await api.client().auth.signInWithOtp({ phone });

  await Promise.all(Array.from({ length: 5 }, () => verify(phone, wrongCodeFor(phone))));
  const refusal = await verify(phone, codeFor(phone));

  assertEquals(refusal, ["otp_expired", 403]);
});

apiTest("verifyOtp() refuses an older code once a newer one is sent", async () => {
  const phone = newPhone();
  await api.client().auth.signInWithOtp({ phone });
  const older = codeFor(phone);
  do await api.client().auth.signInWithOtp({ phone }); while (codeFor(phone) === older);

  const refusal = await verify(phone, older);

  assertEquals(refusal, ["otp_expired", 403]);
});

apiTest("signInWithOtp() keeps six digits as a hash only", async () => {
  const phone = newPhone();

  await api.client().auth.signInWithOtp({ phone });

  const [row] = await api.database.sql`
    select to_jsonb(codes)::text as kept from auth.phone_codes as codes where phone = ${phone.slice(1)}`;
  assertMatch(codeFor(phone), /^\d{6}$/);
  assertEquals(row!.kept.includes(codeFor(phone)), false);
});

apiTest("signInWithOtp() makes no user when told not to", async () => {
  const { error } = await api.client().auth.signInWithOtp({ phone: newPhone(), options: { shouldCreateUser: false } });

  assertEquals([error?.code, error?.status], ["otp_disabled", 422]);
});

apiTest("signInWithOtp() refuses what is no phone number", async () => {
  const { error } = await api.client().auth.signInWithOtp({ phone: "+0788 000 000" });

  assertEquals([error?.code, error?.status], ["validation_failed", 400]);
});

apiTest("signUp() by phone opens no session before the code is verified", async () => {
  const phone = newPhone();
  const client = api.client();

  const { data } = await client.auth.signUp({ phone, password });
  const early = await client.auth.signInWithPassword({ phone, password });
  await client.auth.verifyOtp({ phone, token: codeFor(phone), type: "sms" });
  const late = await client.auth.signInWithPassword({ phone, password });

  assertEquals([data.session, data.user!.phone], [null, phone.slice(1)]);
  assertEquals(early.error?.code, "phone_not_confirmed");
  assertEquals(late.data.user!.id, data.user!.id);
});

apiTest("signUp() refuses a phone number that somebody confirmed", async () => {
  const phone = newPhone();
  await signedInByPhone(phone);

  const { error } = await api.client().auth.signUp({ phone, password });

  assertEquals([error?.code, error?.status], ["user_already_exists", 422]);
});

apiTest("signUp() does not let a second person choose the password of an unconfirmed phone", async () => {
  const phone = newPhone();
  await api.client().auth.signUp({ phone, password });
  await api.client().auth.signUp({ phone, password: "somebody else's" });
  await verify(phone, codeFor(phone));

  const { error } = await api.client().auth.signInWithPassword({ phone, password: "somebody else's" });

  assertEquals(error?.code, "invalid_credentials");
});

apiTest("signInWithPassword() by phone refuses a user without a password", async () => {
  const phone = newPhone();
  await signedInByPhone(phone);

  const { error } = await api.client().auth.signInWithPassword({ phone, password });

  assertEquals([error?.code, error?.status], ["invalid_credentials", 400]);
});

apiTest("updateUser() changes the phone once its code is verified", async () => {
  const phone = newPhone();
  const client = await signedUp(api);

  const { data: asked } = await client.auth.updateUser({ phone });
  const { data: changed } = await client.auth.verifyOtp({ phone, token: codeFor(phone), type: "phone_change" });

  assertEquals([asked.user!.phone, asked.user!.new_phone], ["", phone.slice(1)]);
  assertEquals([changed.user!.phone, changed.user!.new_phone], [phone.slice(1), undefined]);
  assertEquals(changed.user!.app_metadata.providers, ["email", "phone"]);
});

apiTest("updateUser() leads to a phone that signs in with the password chosen by email", async () => {
  const phone = newPhone();
  const client = await signedUp(api);
  await client.auth.updateUser({ phone });
  await client.auth.verifyOtp({ phone, token: codeFor(phone), type: "phone_change" });

  const { data } = await api.client().auth.signInWithPassword({ phone, password });

  assertEquals(data.user?.phone, phone.slice(1));
});

apiTest("updateUser() refuses somebody else's phone", async () => {
  const phone = newPhone();
  await signedInByPhone(phone);
  const client = await signedUp(api);

  const { error } = await client.auth.updateUser({ phone });

  assertEquals([error?.code, error?.status], ["phone_exists", 422]);
});

apiTest("updateUser() sends no code without a session", async () => {
  const phone = newPhone();

  const answer = await fetch(`${api.url}/auth/v1/user`, {
    method: "PUT",
    headers: { apikey: "sb_publishable_local" },
    body: JSON.stringify({ phone }),
  });

  await answer.body?.cancel();
  assertEquals([answer.status, api.codes.has(phone)], [401, false]);
});

apiTest("resend() sends a new code to who has not confirmed yet, and to nobody else", async () => {
  const [waiting, confirmed] = [newPhone(), newPhone()];
  await api.client().auth.signInWithOtp({ phone: waiting });
  await signedInByPhone(confirmed);
  api.codes.clear();

  await api.client().auth.resend({ type: "sms", phone: waiting });
  await api.client().auth.resend({ type: "sms", phone: confirmed });

  assertEquals([api.codes.has(waiting), api.codes.has(confirmed)], [true, false]);
});

function newPhone(): string {
  return `+${++lastNumber}`;
}

function codeFor(phone: string): string {
  return api.codes.get(phone)!;
}

function wrongCodeFor(phone: string): string {
  return codeFor(phone) === "000000" ? "000001" : "000000";
}

async function signedInByPhone(phone: string) {
  const client = api.client();
  await client.auth.signInWithOtp({ phone });
  const { error } = await client.auth.verifyOtp({ phone, token: codeFor(phone), type: "sms" });
  if (error) throw error;
  return client;
}

async function verify(phone: string, token: string) {
  const { error } = await api.client().auth.verifyOtp({ phone, token, type: "sms" });
  return [error?.code, error?.status];
}

async function phoneConfirmedAt(phone: string): Promise<Date | null> {
  const [user] = await api.database.sql`select phone_confirmed_at from auth.users where phone = ${phone.slice(1)}`;
  return user!.phone_confirmed_at;
}
