import type { Sql } from "postgres";
import * as z from "zod";
import { AuthRefusal } from "./auth_refusal.ts";
import { jsonOf, Metadata, parse, Phone } from "./auth_request.ts";
import { createUser, updateUser } from "./auth_user_changes.ts";
import { type AuthUser, findUser, listUsers } from "./auth_users.ts";

export interface AdminOptions {
  sql: Sql;
  secretKey: string;
}

/** Serves GoTrue's `/auth/v1/admin/users` to whoever holds the secret key. Refuses: not_admin. */
export async function administer({ sql, secretKey }: AdminOptions, request: Request): Promise<Response> {
  requireSecretKey(request, secretKey);
  const { pathname } = new URL(request.url);
  const [path, id] = pathname.match(/^\/auth\/v1\/admin\/users(?:\/([^/]+))?$/) ?? [];
  if (!path) return new Response("404 page not found", { status: 404 });
  return id ? await serveUser(sql, id, request) : await serveUsers(sql, request);
}

// A user's token takes precedence over the key, as on the platform.
function requireSecretKey(request: Request, secretKey: string): void {
  const token = request.headers.get("authorization")?.replace(/^Bearer +/i, "");
  const key = request.headers.get("apikey") ?? new URL(request.url).searchParams.get("apikey");
  const isKeyAlone = !token || token.startsWith("sb_");
  if (key !== secretKey || !isKeyAlone) throw new AuthRefusal(403, "not_admin", "User not allowed");
}

async function serveUsers(sql: Sql, request: Request): Promise<Response> {
  if (request.method === "GET") return await listPage(sql, new URL(request.url).searchParams);
  if (request.method !== "POST") return methodNotAllowed("GET, POST");
  const attributes = parse(Attributes, jsonOf(await request.text()));
  if (attributes.email || attributes.phone) return Response.json(await createUser(sql, attributes));
  throw new AuthRefusal(400, "validation_failed", "Cannot create a user without either an email or phone");
}

async function serveUser(sql: Sql, id: string, request: Request): Promise<Response> {
  const user = await requireUser(sql, id);
  const body = jsonOf(await request.text());
  if (request.method === "GET") return Response.json(user);
  if (request.method === "PUT") return Response.json(await updateUser(sql, user.id, parse(Attributes, body)));
  if (request.method !== "DELETE") return methodNotAllowed("GET, PUT, DELETE");
  parse(Deletion, body ?? {});
  await sql`delete from auth.users where id = ${user.id}`;
  return Response.json({});
}

async function requireUser(sql: Sql, id: string): Promise<AuthUser> {
  const isId = z.guid().safeParse(id).success;
  if (!isId) throw new AuthRefusal(404, "validation_failed", "user_id must be an UUID");
  const user = await findUser(sql, { id });
  if (!user) throw new AuthRefusal(404, "user_not_found", "User not found");
  return user;
}

const Page = z.object({
  page: z.coerce.number().int().positive().catch(1),
  per_page: z.coerce.number().int().positive().max(1000).catch(50),
});

async function listPage(sql: Sql, query: URLSearchParams): Promise<Response> {
  const { page, per_page } = parse(Page, Object.fromEntries(query));
  const { users, total } = await listUsers(sql, page, per_page);
  const last = Math.max(1, Math.ceil(total / per_page));
  const links = [...(page < last ? [["next", page + 1]] : []), ["last", last]]
    .map(([rel, target]) => `</admin/users?page=${target}&per_page=${per_page}>; rel="${rel}"`);
  return Response.json({ users, aud: "authenticated" }, {
    headers: { "x-total-count": String(total), "link": links.join(", ") },
  });
}

function methodNotAllowed(allow: string): Response {
  return new Response(null, { status: 405, headers: { allow } });
}

const Attributes = z.object({
  id: z.guid("ID must conform to the uuid v4 format").optional(),
  role: z.string().optional(),
  email: z.email("Unable to validate email address: invalid format").toLowerCase().optional(),
  phone: Phone.optional(),
  password: z.string().optional(),
  email_confirm: z.boolean().optional(),
  phone_confirm: z.boolean().optional(),
  app_metadata: Metadata.optional(),
  user_metadata: Metadata.optional(),
  ban_duration: z.string().regex(/^(none|(\d+(h|m|s))+)$/, "invalid format for ban duration").optional(),
});

const Deletion = z.object({
  should_soft_delete: z.literal(false, "Soft deletion is not served by the local stack").default(false),
});
