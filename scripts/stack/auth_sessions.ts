import { decodeJwt, SignJWT } from "jose";
import type { Sql } from "postgres";
import { AuthRefusal } from "./auth_refusal.ts";
import { type AuthUser, findUser } from "./auth_users.ts";
import { LOCAL_KEY_ID } from "./development.ts";

const SESSION_SECONDS = 3600;

/** What supabase-js keeps of a sign-in. */
export interface Session {
  access_token: string;
  refresh_token: string;
  token_type: "bearer";
  expires_in: number;
  expires_at: number;
  user: AuthUser;
}

export interface SessionOptions {
  sql: Sql;
  jwtSecret: string;
  /** The tokens' `iss`, left out when not given. */
  issuer?: string;
}

/** Signs a user in; lite refreshes and ends the session from there. Refuses: user_banned. */
export async function openSession(options: SessionOptions, userId: string): Promise<Session> {
  const sessionId = crypto.randomUUID();
  const refreshToken = crypto.randomUUID();
  await options.sql.begin(async (tx) => {
    await tx`insert into auth.sessions (id, user_id, aal) values (${sessionId}, ${userId}, 'aal1')`;
    await tx`insert into auth.refresh_tokens (id, token, user_id, session_id)
      values (${crypto.randomUUID()}, ${refreshToken}, ${userId}, ${sessionId})`;
    await tx`update auth.users set last_sign_in_at = now(), updated_at = now() where id = ${userId}`;
  });
  return await describe(options, { userId, sessionId, refreshToken });
}

/** lite's session with a token of ours: lite's has neither `kid` nor phone nor metadata. Refuses: user_banned. */
export async function resignSession(options: SessionOptions, session: Session): Promise<Session> {
  const { sub, session_id } = decodeJwt<{ session_id: string }>(session.access_token);
  const ids = { userId: sub!, sessionId: session_id, refreshToken: session.refresh_token };
  return { ...session, ...await describe(options, ids) };
}

type SessionIds = { userId: string; sessionId: string; refreshToken: string };

async function describe(options: SessionOptions, ids: SessionIds): Promise<Session> {
  const user = await findUser(options.sql, { id: ids.userId }) as AuthUser;
  if (user.banned_until && new Date(user.banned_until) > new Date()) {
    await options.sql`delete from auth.sessions where id = ${ids.sessionId}`;
    throw new AuthRefusal(400, "user_banned", "User is banned");
  }
  const issuedAt = Math.floor(Date.now() / 1000);
  return {
    access_token: await signToken(options, user, { session_id: ids.sessionId, iat: issuedAt }),
    refresh_token: ids.refreshToken,
    token_type: "bearer",
    expires_in: SESSION_SECONDS,
    expires_at: issuedAt + SESSION_SECONDS,
    user,
  };
}

async function signToken(
  { jwtSecret, issuer }: SessionOptions,
  { id, aud, role, email, phone, app_metadata, user_metadata, is_anonymous }: AuthUser,
  session: { session_id: string; iat: number },
): Promise<string> {
  const user = { sub: id, aud, role, email, phone, app_metadata, user_metadata, is_anonymous };
  return await new SignJWT({ iss: issuer, ...user, ...session, aal: "aal1", exp: session.iat + SESSION_SECONDS })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: LOCAL_KEY_ID })
    .sign(new TextEncoder().encode(jwtSecret));
}
