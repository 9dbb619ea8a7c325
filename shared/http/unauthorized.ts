import { Problem } from "../problem.ts";

/** A 401 with its challenge; without credentials no error is named in it (RFC 6750, section 3). */
export function unauthorized(
  code: "credentials_missing" | "api_key_invalid" | "token_invalid",
  cause?: unknown,
): Problem {
  const challenge = code === "credentials_missing" ? "Bearer" : 'Bearer error="invalid_token"';
  return new Problem(code, { headers: { "www-authenticate": challenge }, cause });
}
