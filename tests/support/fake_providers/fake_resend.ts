import { FakeProvider } from "./fake_provider.ts";

/** Starts a Resend that knows requests again by their key, as it says that it does. */
export function startFakeResend(): FakeProvider {
  const known = new Map<string, { text: string; id: string }>();
  return new FakeProvider(({ headers, text }) => {
    const key = headers.get("idempotency-key") ?? crypto.randomUUID();
    const first = known.get(key) ?? { text, id: `email-${known.size + 1}` };
    known.set(key, first);
    if (first.text !== text) return resendError(409, "invalid_idempotent_request");
    return Response.json({ id: first.id });
  }).open();
}

/** How Resend refuses. */
export function resendError(
  statusCode: number,
  name: string,
  message = "No",
  headers?: Record<string, string>,
): Response {
  return Response.json({ statusCode, name, message }, { status: statusCode, headers });
}
