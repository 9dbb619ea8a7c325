import type { Sql } from "postgres";
import * as z from "zod";
import { type Code, createCode, takeCode } from "./auth_codes.ts";
import { AuthRefusal } from "./auth_refusal.ts";
import { Metadata, parse, Phone } from "./auth_request.ts";
import { openSession, type Session, type SessionOptions } from "./auth_sessions.ts";
import { createUser, updateUser } from "./auth_user_changes.ts";
import { type AuthUser, findUser } from "./auth_users.ts";

export interface PhoneOptions extends SessionOptions {
  /** Stands in for the SMS; the number is E.164 with its plus sign. */
  onOtp(phone: string, code: string): void | Promise<void>;
}

/** GoTrue's requests by phone number, which lite does not know, by method and path below `/auth/v1`. */
export const PHONE_ROUTES: Record<string, (options: PhoneOptions, body: unknown) => Promise<unknown>> = {
  "POST /signup": signUp,
  "POST /token": signIn,
  "POST /otp": requestCode,
  "POST /verify": verifyCode,
  "POST /resend": resendCode,
};

const SignUp = z.object({
  phone: Phone,
  password: z.string("Signup requires a valid password"),
  data: Metadata.nullish(),
});

async function signUp(options: PhoneOptions, body: unknown): Promise<AuthUser> {
  const { phone, password, data } = parse(SignUp, body);
  const known = await findUser(options.sql, { phone });
  if (known?.phone_confirmed_at) throw new AuthRefusal(422, "user_already_exists", "User already registered");
  // Whoever asks again is not known to be the same person, so nothing that they say is kept.
  const user = known ?? await createUser(options.sql, { phone, password, user_metadata: data ?? {} });
  await send(options, { userId: user.id, purpose: "sms", phone });
  return user;
}

const SignIn = z.object({ phone: Phone, password: z.string().default("") });

async function signIn(options: PhoneOptions, body: unknown): Promise<Session> {
  const { phone, password } = parse(SignIn, body);
  // lite writes bcrypt hashes as $2b, which pgcrypto computes under the name $2a.
  const [user] = await options.sql<{ id: string; is_confirmed: boolean; is_right: boolean }[]>`
    select id, phone_confirmed_at is not null as is_confirmed,
      case when encrypted_password like '$2_$%'
        then extensions.crypt(${password}, overlay(encrypted_password placing 'a' from 3)) =
          overlay(encrypted_password placing 'a' from 3)
        else false end as is_right
    from auth.users where phone = ${phone}`;
  if (!user?.is_right) throw new AuthRefusal(400, "invalid_credentials", "Invalid login credentials");
  if (!user.is_confirmed) throw new AuthRefusal(400, "phone_not_confirmed", "Phone not confirmed");
  return await openSession(options, user.id);
}

const RequestCode = z.object({ phone: Phone, create_user: z.boolean().default(true), data: Metadata.nullish() });

async function requestCode(options: PhoneOptions, body: unknown): Promise<object> {
  const { phone, create_user, data } = parse(RequestCode, body);
  const known = await findUser(options.sql, { phone });
  if (!known && !create_user) throw new AuthRefusal(422, "otp_disabled", "Signups not allowed for otp");
  const user = known ?? await createUser(options.sql, { phone, user_metadata: data ?? {} });
  await send(options, { userId: user.id, purpose: "sms", phone });
  return {};
}

const VerifyCode = z.object({
  phone: Phone,
  token: z.string("Verify requires a token or a token hash"),
  type: z.enum(["sms", "phone_change"], "Invalid sms verification type"),
});

async function verifyCode(options: PhoneOptions, body: unknown): Promise<Session> {
  const { phone, token, type } = parse(VerifyCode, body);
  const userId = await takeCode(options.sql, { phone, purpose: type, code: token });
  if (!userId) throw new AuthRefusal(403, "otp_expired", "Token has expired or is invalid");
  await updateUser(options.sql, userId, { phone, phone_confirm: true });
  return await openSession(options, userId);
}

const ResendCode = z.object({ phone: Phone, type: z.enum(["sms", "phone_change"]) });

async function resendCode(options: PhoneOptions, body: unknown): Promise<object> {
  const { phone, type: purpose } = parse(ResendCode, body);
  const [user] = await unproven(options.sql, { phone, purpose });
  if (user) await send(options, { userId: user.id, purpose, phone });
  return {};
}

/** Sends a code to the phone that a signed-in user wants; it becomes theirs when they verify it. Refuses: phone_exists. */
export async function changePhone(options: PhoneOptions, user: AuthUser, phone: string): Promise<void> {
  if (user.phone === phone) return;
  if (await findUser(options.sql, { phone })) {
    throw new AuthRefusal(422, "phone_exists", "A user with this phone number has already been registered");
  }
  await options.sql`update auth.users set phone_change = ${phone} where id = ${user.id}`;
  await send(options, { userId: user.id, purpose: "phone_change", phone });
}

function unproven(sql: Sql, { phone, purpose }: Omit<Code, "userId">) {
  return purpose === "sms"
    ? sql<{ id: string }[]>`select id from auth.users where phone = ${phone} and phone_confirmed_at is null`
    : sql<{ id: string }[]>`select id from auth.users where phone_change = ${phone}`;
}

async function send(options: PhoneOptions, code: Code): Promise<void> {
  const sentAt = options.sql(code.purpose === "sms" ? "confirmation_sent_at" : "phone_change_sent_at");
  await options.sql`update auth.users set ${sentAt} = now() where id = ${code.userId}`;
  await options.onOtp(`+${code.phone}`, await createCode(options.sql, code));
}
