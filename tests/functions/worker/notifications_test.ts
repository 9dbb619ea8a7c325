import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import type { SendOutcome } from "shared/notifications/provider.ts";
import type { RunReport } from "shared/worker/drain.ts";
import type { ClaimedSource } from "shared/worker/source.ts";
import { sms } from "../../../supabase/functions/worker/notification_channels.ts";
import { notificationSource } from "../../../supabase/functions/worker/notification_source.ts";
import { sources } from "../../../supabase/functions/worker/sources.ts";
import { messagesOf, startFakeExpo } from "../../support/fake_providers/fake_expo.ts";
import { resendError, startFakeResend } from "../../support/fake_providers/fake_resend.ts";
import { fieldsOf, startFakeTwilio, twilioError } from "../../support/fake_providers/fake_sms.ts";
import { startFakeSmtp } from "../../support/fake_providers/fake_smtp.ts";
import { configure } from "../../shared/notifications/deliveries.ts";
import { createPerson, notify, PHONE, providersOf, stateOf } from "../../sql/notifications/notifications.ts";
import { type Worker, workerTest } from "./worker.ts";

const TWILIO = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "t", TWILIO_FROM: "MG1" };
const EMAIL_FROM = "EasyMO <no-reply@easymo.example>";

/** Lets a person be reached by e-mail too. */
async function giveEmail(sql: Sql, person: string, email = "jean@example.com"): Promise<void> {
  const [user] = await sql`insert into auth.users (id, email, email_confirmed_at)
    values (gen_random_uuid(), ${email}, now()) returning id`;
  await sql`update public.profiles set user_id = ${user!.id} where id = ${person}`;
}

async function giveApp(sql: Sql, person: string, name: string): Promise<void> {
  const address = { token: `ExponentPushToken[${name}]` };
  await sql`insert into public.push_endpoints (profile_id, service, address) values (${person}, 'expo', ${
    sql.json(address)
  })`;
}

/** Lets what waits be due now, as if the time had come. */
async function makeDue(sql: Sql): Promise<void> {
  await sql`update public.notification_deliveries set scheduled_at = now() - interval '1 second'`;
}

/** As many runs as there are channels: each next one wakes the worker again. */
async function runForEachChannel({ run }: Worker): Promise<void> {
  for (let runs = 0; runs < 3; runs++) await run(sources);
}

workerTest("a notification goes out once by SMS, and its row says who took it", async ({ sql, run }) => {
  await using twilio = startFakeTwilio();
  configure({ ...TWILIO, TWILIO_API_URL: twilio.url }, twilio);
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["sms"], title: "Paid", body: "You were paid 700 RWF" });

  const report = await run(sources);
  await run(sources);

  assertEquals(twilio.requests.map(fieldsOf), [
    { MessagingServiceSid: "MG1", To: PHONE, Body: "Paid\nYou were paid 700 RWF" },
  ]);
  assertEquals([report.sources.sms_notifications!.done, report.ended], [1, "empty"]);
  const [state, { sms }] = await stateOf(sql, notified) as [string, Record<string, Record<string, unknown>>];
  assertEquals([state, sms!.state, sms!.provider, sms!.provider_message_id], ["sent", "sent", "twilio", "SM1"]);
});

workerTest("a channel without a provider says so, and the next one carries the notification", async (worker) => {
  const { sql } = worker;
  await using expo = startFakeExpo();
  await using smtp = startFakeSmtp();
  configure({ SMTP_URL: `smtp://${smtp.host}?ignoreTLS=true`, EMAIL_FROM }, expo, smtp.host);
  const person = await createPerson(sql);
  await giveEmail(sql, person);
  await giveApp(sql, person, "phone");
  const notified = await notify(sql, person, { channels: ["sms", "push", "email"], title: "Paid" });

  await runForEachChannel(worker);

  const [state, { sms, push, email }] = await stateOf(sql, notified);
  const not_configured = ["failed", "not_configured"];
  assertEquals([state, [sms!.state, sms!.reason], [push!.state, push!.reason], email!.state], [
    "sent",
    not_configured,
    // Expo's own address is not on the list of hosts.
    not_configured,
    "sent",
  ]);
  assertEquals([expo.requests.length, smtp.mails.length, smtp.mails[0]!.to], [0, 1, "RCPT TO:<jean@example.com>"]);
});

workerTest("a text message that may have gone out is not sent again, the next channel is", async (worker) => {
  const { sql } = worker;
  await using twilio = startFakeTwilio();
  await using resend = startFakeResend();
  twilio.next({ status: 500 });
  const settings = {
    ...TWILIO,
    TWILIO_API_URL: twilio.url,
    RESEND_API_KEY: "k",
    RESEND_API_URL: resend.url,
    EMAIL_FROM,
  };
  configure(settings, twilio, resend);
  const person = await createPerson(sql);
  await giveEmail(sql, person);
  const notified = await notify(sql, person, { channels: ["sms", "email"] });

  await runForEachChannel(worker);

  const [state, { sms, email }] = await stateOf(sql, notified);
  const told = await providersOf(sql, notified);
  assertEquals([state, sms!.reason, told.sms!.code, email!.state], ["sent", "unknown", "500", "sent"]);
  assertEquals([twilio.requests.length, resend.requests.length], [1, 1]);
});

workerTest("what may heal waits, and is the same e-mail when it is tried again", async ({ sql, run }) => {
  await using resend = startFakeResend();
  resend.next(resendError(429, "rate_limit_exceeded", "Slow down", { "retry-after": "90" }), "close");
  configure({ RESEND_API_KEY: "k", RESEND_API_URL: resend.url, EMAIL_FROM }, resend);
  const person = await createPerson(sql);
  await giveEmail(sql, person);
  const notified = await notify(sql, person, { channels: ["email"] });

  await run(sources);
  const [row] = await sql`select attempt_count, state, scheduled_at > now() + interval '80 seconds' as is_kept_waiting
    from public.notification_deliveries`;
  assertEquals({ ...row }, { attempt_count: 0, state: "ready", is_kept_waiting: true });
  for (let attempt = 2; attempt <= 3; attempt++) {
    await makeDue(sql);
    await run(sources);
  }

  assertEquals((await stateOf(sql, notified))[0], "sent");
  const keys = resend.requests.map(({ headers }) => headers.get("idempotency-key"));
  assertEquals([keys.length, new Set(keys).size], [3, 1]);
});

workerTest("a device that its service calls gone is forgotten, and the others still hear", async ({ sql, run }) => {
  await using expo = startFakeExpo({ errors: { "ExponentPushToken[old]": "DeviceNotRegistered" } });
  configure({ EXPO_API_URL: expo.url }, expo);
  const person = await createPerson(sql);
  for (const name of ["old", "new"]) await giveApp(sql, person, name);
  const notified = await notify(sql, person, { channels: ["push"] });

  await run(sources);

  assertEquals((await stateOf(sql, notified))[0], "sent");
  const left = await sql`select address ->> 'token' as token from public.push_endpoints`;
  assertEquals([...left.map(({ token }) => token)], ["ExponentPushToken[new]"]);
  const [message] = messagesOf(expo.requests[0]!);
  assertEquals((message!.data as Record<string, unknown>).notification_id, notified.notification_id);
});

workerTest("a device that Expo's receipt calls gone is forgotten later", async ({ sql, run, log }) => {
  const receipts = {
    "ticket-1": { status: "error", message: "No", details: { error: "DeviceNotRegistered" } },
    "ticket-2": { status: "error", message: "No", details: { error: "InvalidCredentials" } },
  };
  await using expo = startFakeExpo({ receipts });
  configure({ EXPO_API_URL: expo.url }, expo);
  const person = await createPerson(sql);
  for (const name of ["gone", "there", "silent"]) await giveApp(sql, person, name);
  await notify(sql, person, { channels: ["push"] });

  await run(sources);
  await sql`update private.push_tickets set check_at = now()`;
  const report = await run(sources);

  assertEquals([report.sources.push_receipts!.done, report.sources.push_receipts!.more], [2, false]);
  const [left] = await sql`select (select count(*)::int from public.push_endpoints) as endpoints,
    array(select ticket_id from private.push_tickets) as tickets`;
  assertEquals({ ...left }, { endpoints: 2, tickets: ["ticket-3"] });
  const told = log.raw.map((line) => JSON.parse(line)).filter(({ event }) => event === "notifications.receipt_error");
  assertEquals(told.map(({ code, count }) => [code, count]), [["InvalidCredentials", 1]]);
});

workerTest("any number of runs at once send every text message once", async ({ sql, run }) => {
  await using twilio = startFakeTwilio();
  configure({ ...TWILIO, TWILIO_API_URL: twilio.url }, twilio);
  const person = await createPerson(sql);
  for (let n = 1; n <= 60; n++) await notify(sql, person, { channels: ["sms"], body: `Message ${n}` });

  await Promise.all(Array.from({ length: 4 }, () => run(sources)));

  const bodies = twilio.requests.map((request) => fieldsOf(request).Body);
  assertEquals([bodies.length, new Set(bodies).size], [60, 60]);
  const states = await sql`select distinct state from public.notifications`;
  assertEquals([...states.map(({ state }) => state)], ["sent"]);
});

workerTest("a run that must end gives back what it has claimed, and the next one sends it", async (worker) => {
  const { sql, run, request } = worker;
  await using twilio = startFakeTwilio();
  configure({ ...TWILIO, TWILIO_API_URL: twilio.url }, twilio);
  const person = await createPerson(sql);
  for (let n = 1; n <= 5; n++) await notify(sql, person, { channels: ["sms"], body: `Message ${n}` });
  const interruption = new AbortController();

  const interrupted = await request((call) => [endingRun(notificationSource(call, sms()), interruption)], "", {
    signal: interruption.signal,
  });
  const left = await sql`select distinct state, attempt_count from public.notification_deliveries`;
  const requested = twilio.requests.length;
  await run(sources);

  const report: RunReport = await interrupted.json();
  assertEquals([report.sources.sms_notifications!.released, requested], [5, 0]);
  assertEquals([...left.map((row) => ({ ...row }))], [{ state: "ready", attempt_count: 0 }]);
  assertEquals(new Set(twilio.requests.map((arrived) => fieldsOf(arrived).Body)).size, 5);
});

workerTest("a refusal that is final lets no time pass before the next channel", async (worker) => {
  const { sql } = worker;
  await using twilio = startFakeTwilio();
  await using expo = startFakeExpo();
  twilio.next(twilioError(400, 21610, `${PHONE} has unsubscribed`));
  configure({ ...TWILIO, TWILIO_API_URL: twilio.url, EXPO_API_URL: expo.url }, twilio, expo);
  const person = await createPerson(sql);
  await giveApp(sql, person, "phone");
  const notified = await notify(sql, person, { channels: ["sms", "push"] });

  await runForEachChannel(worker);

  const [state, { sms }] = await stateOf(sql, notified);
  const told = await providersOf(sql, notified);
  assertEquals([state, sms!.reason, told.sms!.code, told.sms!.detail], [
    "sent",
    "rejected",
    "21610",
    "[redacted] has unsubscribed",
  ]);
});

workerTest("a provider that fails in itself leaves open whether it sent anything", async (worker) => {
  const { sql, run } = worker;
  configure({});
  const notified = await notify(sql, await createPerson(sql), { channels: ["sms"] });
  const provider = { send: () => Promise.reject(new TypeError("a fault of ours")) };

  await run((call) => [notificationSource(call, { name: "sms", provider, concurrency: 1 })]);

  const [state, outcomes] = await stateOf(sql, notified);
  const told = await providersOf(sql, notified);
  assertEquals([state, outcomes.sms!.reason, told.sms!.code], ["failed", "unknown", "TypeError"]);
});

workerTest("a delivery whose lease was lost meanwhile is counted as lost, and left alone", async ({ sql, run }) => {
  configure({});
  const notified = await notify(sql, await createPerson(sql), { channels: ["sms"] });
  const provider = {
    async send(): Promise<SendOutcome> {
      await sql`update public.notification_deliveries set lease_token = lease_token + 1`;
      return { kind: "sent", provider: "fake", provider_message_id: null };
    },
  };

  const report = await run((call) => [notificationSource(call, { name: "sms", provider, concurrency: 1 })]);

  assertEquals([report.sources.sms_notifications!.lost, (await stateOf(sql, notified))[0]], [1, "waiting"]);
});

/** The source, in a run that is told to end as soon as it has claimed. */
function endingRun<Item>(source: ClaimedSource<Item>, end: AbortController): ClaimedSource<Item> {
  return {
    ...source,
    async claim(maxCount, leaseSeconds) {
      const items = await source.claim(maxCount, leaseSeconds);
      end.abort();
      return items;
    },
  };
}
