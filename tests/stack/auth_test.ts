import { assertEquals, assertNotEquals } from "@std/assert";
import { fromSupabaseUrl } from "@supabase/server/oauth-protected-resource";
import { verifyAuth } from "@supabase/server/core";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { apiTest, signedUp, startLocalApi } from "./local_api.ts";

const api = await startLocalApi();
Deno.test.afterAll(() => api.stop());

apiTest("signUp() opens a session whose token carries what GoTrue puts there", async () => {
  const client = api.client();

  const { data } = await client.auth.signUp({
    email: "Rider@Example.com",
    password: "a long password",
    options: { data: { name: "Keza" } },
  });

  const token = data.session!.access_token;
  const { sub, role, email, phone, is_anonymous, app_metadata, user_metadata } = decodeJwt<Claims>(token);
  assertEquals(decodeProtectedHeader(token), { alg: "HS256", typ: "JWT", kid: "local-hs256" });
  assertEquals({ sub, role, email, phone, is_anonymous }, {
    sub: data.user!.id,
    role: "authenticated",
    email: "rider@example.com",
    phone: "",
    is_anonymous: false,
  });
  assertEquals(app_metadata, { provider: "email", providers: ["email"] });
  assertEquals(user_metadata.name, "Keza");
});

apiTest("signUp() opens a session that functions accept", async () => {
  const { data: { session } } = await (await signedUp(api)).auth.getSession();
  const request = new Request(api.url, { headers: { authorization: `Bearer ${session!.access_token}` } });

  const { data } = await verifyAuth(request, {
    auth: "user",
    audience: "authenticated",
    issuer: fromSupabaseUrl(api.url),
    env: { url: api.url, jwks: JSON.parse(developmentSettings(api.url, "").SUPABASE_JWKS!) },
  });

  assertEquals(data?.userClaims?.id, session!.user.id);
});

apiTest("signUp() refuses a password that the project would refuse", async () => {
  const { error } = await api.client().auth.signUp({ email: "short@example.com", password: "1234567" });

  assertEquals([error?.code, error?.status], ["weak_password", 422]);
});

apiTest("signInWithPassword() opens a session of its own", async () => {
  const first = await signedUp(api, "again@example.com");

  const { data } = await api.client().auth.signInWithPassword({
    email: "again@example.com",
    password: "a long password",
  });

  const sessions = [await sessionOf(first), decodeJwt(data.session!.access_token).session_id];
  assertNotEquals(sessions[0], sessions[1]);
});

apiTest("signInWithPassword() refuses a wrong password", async () => {
  await signedUp(api, "wrong@example.com");

  const { error } = await api.client().auth.signInWithPassword({ email: "wrong@example.com", password: "another one" });

  assertEquals([error?.code, error?.status], ["invalid_credentials", 400]);
});

apiTest("refreshSession() continues the session with what the database says by then", async () => {
  const client = await signedUp(api);
  const before = await sessionOf(client);
  const { data: { user } } = await client.auth.getUser();
  await api.database.sql`update auth.users set raw_app_meta_data = '{"role": "operator"}' where id = ${user!.id}`;

  const { data } = await client.auth.refreshSession();

  const claims = decodeJwt<{ app_metadata: unknown }>(data.session!.access_token);
  assertEquals(claims.session_id, before);
  assertEquals(claims.app_metadata, { role: "operator" });
  assertEquals(data.user!.app_metadata, { role: "operator" });
});

apiTest("refreshSession() ends a session whose used token comes back later", async () => {
  const client = await signedUp(api);
  const { data: { session: first } } = await client.auth.getSession();
  await client.auth.refreshSession();
  await client.auth.refreshSession();

  const { error } = await api.client().auth.refreshSession(first!);

  assertEquals(error?.code, "refresh_token_already_used");
});

apiTest("getUser() answers a re-signed token", async () => {
  const client = await signedUp(api, "me@example.com");

  const { data } = await client.auth.getUser();

  assertEquals(data.user!.email, "me@example.com");
  assertEquals(data.user!.identities!.map((identity) => identity.provider), ["email"]);
});

apiTest("updateUser() merges metadata", async () => {
  const client = await signedUp(api);
  await client.auth.updateUser({ data: { name: "Keza", town: "Huye" } });

  const { data } = await client.auth.updateUser({ data: { town: "Kigali" } });

  assertEquals([data.user!.user_metadata.name, data.user!.user_metadata.town], ["Keza", "Kigali"]);
});

apiTest("signOut() ends the session", async () => {
  const client = await signedUp(api);
  const { data: { session } } = await client.auth.getSession();

  await client.auth.signOut();

  const { error: onRefresh } = await api.client().auth.refreshSession(session!);
  const { error: onRead } = await api.client().auth.getUser(session!.access_token);
  assertEquals([onRefresh?.code, onRead?.name], ["refresh_token_not_found", "AuthSessionMissingError"]);
});

apiTest("a link in an email leads to a session that the functions accept", async () => {
  const client = await signedUp(api);
  const { data: { user } } = await client.auth.getUser();
  await api.database.sql`
    update auth.users set recovery_token = 'hash-of-a-link', recovery_sent_at = now() where id = ${user!.id}`;

  const answer = await fetch(`${api.url}/auth/v1/verify?type=recovery&token=hash-of-a-link`, { redirect: "manual" });

  await answer.body?.cancel();
  const fragment = new URLSearchParams(new URL(answer.headers.get("location")!).hash.slice(1));
  assertEquals(decodeProtectedHeader(fragment.get("access_token")!).kid, "local-hs256");
});

apiTest("a table shows each user their own rows", async () => {
  const keza = await signedUp(api);
  const manzi = await signedUp(api);
  await keza.from("notes").insert({ body: "mine" }).throwOnError();

  const seen = await Promise.all([keza, manzi].map((client) => client.from("notes").select("body")));

  assertEquals(seen.map(({ data }) => data), [[{ body: "mine" }], []]);
});

apiTest("a table is closed to who sends a user's token without a key, as on the platform", async () => {
  const { data: { session } } = await (await signedUp(api)).auth.getSession();

  const answer = await get("/rest/v1/notes", { authorization: `Bearer ${session!.access_token}` });

  assertEquals(answer, [401, "UNAUTHORIZED_MISSING_API_KEY"]);
});

apiTest("a table is closed to requests without a key, and open to the studio's own page", async () => {
  const asNobody = await get("/rest/v1/notes", {});
  const asOtherSite = await get("/rest/v1/notes", { "sec-fetch-site": "cross-site" });
  const asStudio = await get("/rest/v1/notes", { "sec-fetch-site": "same-origin" });

  assertEquals([asNobody[0], asOtherSite[0], asStudio[0]], [401, 401, 200]);
});

apiTest("a wrong key is refused on every way in", async () => {
  const client = api.client("sb_publishable_wrong");
  const phone = "+250788000001";

  const answers = await Promise.all([
    client.auth.signUp({ email: "key@example.com", password: "a long password" }),
    client.auth.signInWithOtp({ phone }),
    client.auth.admin.listUsers(),
  ]);

  assertEquals(answers.map(({ error }) => error?.status), [401, 401, 401]);
  assertEquals(api.codes.has(phone), false);
});

apiTest("settings say what is served, and no key is published", async () => {
  const headers = { apikey: LOCAL_KEYS.publishableKey };

  const settings = await (await fetch(`${api.url}/auth/v1/settings`, { headers })).json();
  const keys = await (await fetch(`${api.url}/auth/v1/.well-known/jwks.json`)).json();
  const [health] = await get("/auth/v1/health", headers);

  assertEquals([settings.external.email, settings.external.phone], [true, true]);
  assertEquals(keys, { keys: [] });
  assertEquals(health, 200);
});

apiTest("lite serves without changing anybody's privileges", async () => {
  const fresh = await startLocalApi();
  const before = await privileges(fresh.database.sql);

  const client = await signedUp(fresh);
  await client.from("notes").insert({ body: "mine" }).throwOnError();
  await client.from("notes").select().throwOnError();
  const after = await privileges(fresh.database.sql);
  await fresh.stop();

  assertEquals(after, before);
});

type Claims = Record<"sub" | "role" | "email" | "phone", string> & {
  is_anonymous: boolean;
  app_metadata: Record<string, unknown>;
  user_metadata: Record<string, unknown>;
};

async function sessionOf(client: Awaited<ReturnType<typeof signedUp>>): Promise<unknown> {
  const { data } = await client.auth.getSession();
  return decodeJwt(data.session!.access_token).session_id;
}

async function get(path: string, headers: HeadersInit): Promise<[status: number, code: string | null]> {
  const answer = await fetch(api.url + path, { headers });
  await answer.body?.cancel();
  return [answer.status, answer.headers.get("sb-error-code")];
}

async function privileges(sql: typeof api.database.sql): Promise<unknown> {
  return await sql`
    select 'relation' as kind, oid::regclass::text as name, relacl::text as acl from pg_class where relacl is not null
    union all
    select 'schema', nspname, nspacl::text from pg_namespace
    union all
    select 'function', oid::regprocedure::text, proacl::text from pg_proc where proacl is not null
    union all
    select 'default', concat_ws('/', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype), defaclacl::text
    from pg_default_acl
    order by 1, 2`.values();
}
