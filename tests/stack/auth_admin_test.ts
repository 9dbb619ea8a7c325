import { assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { apiTest, signedUp, startLocalApi } from "./local_api.ts";

const api = await startLocalApi();
Deno.test.afterAll(() => api.stop());

const { admin } = api.client(LOCAL_KEYS.secretKey).auth;
const password = "a long password";

apiTest("updateUserById() makes an operator, whose next token says so", async () => {
  const client = await signedUp(api);
  const { data: { user } } = await client.auth.getUser();

  await admin.updateUserById(user!.id, { app_metadata: { role: "operator" } });
  const { data } = await client.auth.refreshSession();

  const { app_metadata } = decodeJwt<{ app_metadata: unknown }>(data.session!.access_token);
  assertEquals(app_metadata, { provider: "email", providers: ["email"], role: "operator" });
});

apiTest("updateUserById() removes what is set to null", async () => {
  const { data: { user } } = await admin.createUser({
    email: "null@example.com",
    app_metadata: { role: "operator" },
    user_metadata: { town: "Huye", nested: { kept: null } },
  });

  const { data } = await admin.updateUserById(user!.id, {
    app_metadata: { role: null },
    user_metadata: { town: null },
  });

  assertEquals(data.user!.app_metadata, { provider: "email", providers: ["email"] });
  assertEquals(data.user!.user_metadata, { nested: { kept: null } });
});

apiTest("createUser() makes a user who signs in by email and by phone", async () => {
  const email = "both@example.com";
  const phone = "+250788000300";

  const { data } = await admin.createUser({ email, phone, password, email_confirm: true, phone_confirm: true });

  const answers = await Promise.all([
    api.client().auth.signInWithPassword({ email, password }),
    api.client().auth.signInWithPassword({ phone, password }),
  ]);
  assertEquals(answers.map((answer) => answer.data.user?.id), [data.user!.id, data.user!.id]);
  assertEquals(data.user!.identities!.map((identity) => identity.provider), ["email", "phone"]);
});

apiTest("createUser() refuses what is taken, weak or empty", async () => {
  await admin.createUser({ email: "taken@example.com", phone: "+250788000301" });

  const answers = await Promise.all([
    admin.createUser({ email: "Taken@example.com" }),
    admin.createUser({ phone: "+250788000301" }),
    admin.createUser({ email: "weak@example.com", password: "short" }),
    admin.createUser({ password }),
  ]);

  assertEquals(answers.map(({ error }) => error?.code), [
    "email_exists",
    "phone_exists",
    "weak_password",
    "validation_failed",
  ]);
});

apiTest("listUsers() pages through everybody, newest first", async () => {
  const own = await startLocalApi();
  const people = own.client(LOCAL_KEYS.secretKey).auth.admin;
  for (const name of ["first", "second", "third"]) await people.createUser({ email: `${name}@example.com` });

  const { data: page } = await people.listUsers({ page: 1, perPage: 2 });
  const { data: last } = await people.listUsers({ page: 2, perPage: 2 });
  await own.stop();

  assertEquals(page.users.map((user) => user.email), ["third@example.com", "second@example.com"]);
  assertEquals(last.users.map((user) => user.email), ["first@example.com"]);
  assertEquals("total" in page && [page.total, page.nextPage, page.lastPage], [3, 2, 2]);
});

apiTest("getUserById() tells a user from nobody and from nonsense", async () => {
  const { data: { user } } = await admin.createUser({ email: "get@example.com" });

  const found = await admin.getUserById(user!.id);
  const missing = await admin.getUserById(crypto.randomUUID());
  const nonsense = await (await asAdmin("GET", "/users/nonsense")).json();

  assertEquals(found.data.user!.email, "get@example.com");
  assertEquals([missing.error?.code, missing.error?.status], ["user_not_found", 404]);
  assertEquals([nonsense.error_code, nonsense.code], ["validation_failed", 404]);
});

apiTest("deleteUser() ends the user's sessions with them", async () => {
  const client = await signedUp(api);
  const { data: { user } } = await client.auth.getUser();

  await admin.deleteUser(user!.id);

  const { error } = await client.auth.refreshSession();
  assertEquals(error?.code, "refresh_token_not_found");
});

apiTest("updateUserById() ends the sessions that an old password opened", async () => {
  const client = await signedUp(api);
  const { data: { user } } = await client.auth.getUser();

  await admin.updateUserById(user!.id, { password: "another long one" });

  const { error } = await client.auth.refreshSession();
  assertEquals(error?.code, "refresh_token_not_found");
});

apiTest("a banned user cannot sign in until the ban is lifted", async () => {
  const email = "banned@example.com";
  const { data: { user } } = await admin.createUser({ email, password, email_confirm: true });
  await admin.updateUserById(user!.id, { ban_duration: "1h30m" });

  const banned = await api.client().auth.signInWithPassword({ email, password });
  await admin.updateUserById(user!.id, { ban_duration: "none" });
  const lifted = await api.client().auth.signInWithPassword({ email, password });

  assertEquals([banned.error?.code, lifted.error], ["user_banned", null]);
});

apiTest("the admin API is closed to publishable keys, users and operators", async () => {
  const operator = await signedUp(api);
  const { data: { user } } = await operator.auth.getUser();
  await admin.updateUserById(user!.id, { app_metadata: { role: "operator" } });
  const { data: { session } } = await operator.auth.refreshSession();
  const authorization = `Bearer ${session!.access_token}`;

  const answers = await Promise.all([
    asAdmin("GET", "/users", { apikey: LOCAL_KEYS.publishableKey }),
    asAdmin("GET", "/users", { apikey: LOCAL_KEYS.publishableKey, authorization }),
    asAdmin("GET", "/users", { apikey: LOCAL_KEYS.secretKey, authorization }),
    asAdmin("GET", "/users", { apikey: LOCAL_KEYS.publishableKey, authorization: `Bearer ${LOCAL_KEYS.secretKey}` }),
    asAdmin("GET", "/users", { authorization }),
    asAdmin("GET", "/users", {}),
    asAdmin("DELETE", `/users/${user!.id}`, { apikey: LOCAL_KEYS.publishableKey, authorization }),
  ]);

  for (const answer of answers) await answer.body?.cancel();
  assertEquals(answers.map((answer) => answer.status), [403, 403, 403, 403, 401, 401, 403]);
});

function asAdmin(method: string, path: string, headers: HeadersInit = { apikey: LOCAL_KEYS.secretKey }) {
  return fetch(`${api.url}/auth/v1/admin${path}`, { method, headers });
}
