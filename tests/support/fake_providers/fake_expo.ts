import { type ArrivedRequest, FakeProvider } from "./fake_provider.ts";

/** How an Expo treats a token; others are taken. */
export interface FakeExpoOptions {
  /** By token: the error of its ticket. */
  errors?: Record<string, string>;
  /** By token: of which app it is; tokens of two apps are refused together. */
  apps?: Record<string, string>;
  /** By ticket: its receipt. */
  receipts?: Record<string, unknown>;
}

/** Starts an Expo push service. */
export function startFakeExpo({ errors = {}, apps = {}, receipts = {} }: FakeExpoOptions = {}): FakeProvider {
  let count = 0;
  return new FakeProvider((request) => {
    if (request.path.endsWith("/push/getReceipts")) return receiptsOf(receipts, JSON.parse(request.text).ids);
    const messages = messagesOf(request);
    if (new Set(messages.map(({ to }) => apps[to])).size > 1) return expoError(400, "PUSH_TOO_MANY_EXPERIENCE_IDS");
    const tickets = messages.map(({ to }) => {
      const error = errors[to];
      if (!error) return { status: "ok", id: `ticket-${++count}` };
      return { status: "error", message: `"${to}" was refused`, details: { error, expoPushToken: to } };
    });
    return Response.json({ data: tickets });
  }).open();
}

/** Those that there are. */
function receiptsOf(receipts: Record<string, unknown>, ids: string[]): Response {
  return Response.json({ data: Object.fromEntries(Object.entries(receipts).filter(([id]) => ids.includes(id))) });
}

/** How Expo refuses a whole request. */
export function expoError(status: number, code: string): Response {
  return Response.json({ errors: [{ code, message: "Refused" }] }, { status });
}

/** The messages of a request. */
export function messagesOf({ text }: ArrivedRequest): { to: string; [field: string]: unknown }[] {
  return JSON.parse(text);
}
