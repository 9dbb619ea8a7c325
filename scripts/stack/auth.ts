import { administer } from "./auth_admin.ts";
import { changePhone, PHONE_ROUTES, type PhoneOptions } from "./auth_phone.ts";
import { AuthRefusal } from "./auth_refusal.ts";
import { jsonOf, parse, Phone } from "./auth_request.ts";
import { resignSession, type Session } from "./auth_sessions.ts";
import { type AuthUser, findUser } from "./auth_users.ts";
import type { Keys } from "./identity.ts";
import { createLite, type Lite } from "./lite.ts";
import { connect } from "./connection.ts";

export interface AuthOptions extends Pick<PhoneOptions, "onOtp"> {
  superuserUrl: string;
  keys: Keys;
  /** Where clients reach the API; tokens name it as their issuer. */
  publicUrl?: string;
}

/** `/auth/v1`, `/rest/v1/<table>` and the studio. */
export interface Auth {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Opens lite with what it lacks of GoTrue: tokens that the functions accept, phone numbers, `/auth/v1/admin/users`. */
export function createAuth({ superuserUrl, keys, onOtp, publicUrl }: AuthOptions): Auth {
  const sql = connect(superuserUrl, { max: 3 });
  const lite = createLite(superuserUrl, keys);
  const issuer = publicUrl && `${publicUrl}/auth/v1`;
  const context = { sql, jwtSecret: keys.jwtSecret, secretKey: keys.secretKey, issuer, onOtp, lite };
  return {
    fetch: (request) => serve(context, request).catch(toAnswer),
    close: async () => {
      await Promise.all([sql.end(), lite.close()]);
    },
  };
}

type Context = PhoneOptions & { secretKey: string; lite: Lite };

async function serve(context: Context, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith("/auth/v1/")) return await context.lite.fetch(request);
  if (pathname.startsWith("/auth/v1/admin/")) {
    return await refusedKey(context, request) ?? await administer(context, request);
  }
  if (request.method !== "POST" && request.method !== "PUT") {
    return await complete(context, await context.lite.fetch(request));
  }
  const text = await request.text();
  const body = jsonOf(text) as PhoneBody | undefined;
  if (body?.phone) return await serveWithPhone(context, request, body);
  return await complete(context, await context.lite.fetch(withBody(request, text)));
}

type PhoneBody = { phone?: string; email?: string };

async function serveWithPhone(context: Context, request: Request, body: PhoneBody): Promise<Response> {
  const route = `${request.method} ${new URL(request.url).pathname.slice("/auth/v1".length)}`;
  const handle = PHONE_ROUTES[route];
  if (handle && body.email) throw new AuthRefusal(400, "validation_failed", "Give an email address or a phone number");
  if (handle) return await refusedKey(context, request) ?? Response.json(await handle(context, body));
  const { phone, ...rest } = body;
  const newPhone = parse(Phone, phone);
  const answer = await context.lite.fetch(withBody(request, JSON.stringify(rest)));
  if (route !== "PUT /user" || !answer.ok) return answer;
  const { id } = await answer.json();
  await changePhone(context, await findUser(context.sql, { id }) as AuthUser, newPhone);
  return Response.json(await findUser(context.sql, { id }));
}

/** What lite says to the request's key, where it refuses it. */
async function refusedKey({ lite }: Context, { url, headers }: Request): Promise<Response | undefined> {
  const probe = new URL(url);
  probe.pathname = "/auth/v1/health";
  const answer = await lite.fetch(new Request(probe, { headers }));
  return answer.ok ? undefined : answer;
}

/** Sessions and users as GoTrue would answer them, from the database. */
async function complete(context: Context, answer: Response): Promise<Response> {
  const location = answer.headers.get("location");
  if (location?.includes("#access_token=")) return await completeRedirect(context, location);
  if (!answer.ok || !answer.headers.get("content-type")?.includes("json")) return answer;
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  return Response.json(await completed(context, await answer.json()), { headers });
}

async function completed(context: Context, body: Record<string, unknown>): Promise<unknown> {
  if (body.access_token) return await resignSession(context, body as unknown as Session);
  if (body.aud) return await findUser(context.sql, { id: body.id as string });
  if (body.external) return { ...body, external: { ...body.external, phone: true } };
  return body;
}

/** Where a link in an email leads: to the site, with the session in the fragment. */
async function completeRedirect(context: Context, location: string): Promise<Response> {
  const [page, fragment] = location.split("#", 2);
  const given = new URLSearchParams(fragment);
  const { access_token } = await resignSession(context, Object.fromEntries(given) as unknown as Session);
  given.set("access_token", access_token);
  return new Response(null, { status: 303, headers: { location: `${page}#${given}` } });
}

function withBody(request: Request, body: string): Request {
  return new Request(request.url, { method: request.method, headers: request.headers, body, signal: request.signal });
}

function toAnswer(error: unknown): Response {
  if (error instanceof AuthRefusal) return error.toResponse();
  console.error("auth.failed", error);
  return new AuthRefusal(500, "unexpected_failure", "Unexpected failure, please check server logs for more information")
    .toResponse();
}
