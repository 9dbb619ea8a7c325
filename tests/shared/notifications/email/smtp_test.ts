import { assert, assertEquals } from "@std/assert";
import { isAllowedSocket } from "shared/http/guarded_fetch.ts";
import type { EmailAddress } from "shared/notifications/email/email_address.ts";
import { emailProvider } from "shared/notifications/email/email_provider.ts";
import type { Delivery, SendOutcome } from "shared/notifications/provider.ts";
import { type FakeSmtp, type FakeSmtpOptions, startFakeSmtp } from "../../../support/fake_providers/fake_smtp.ts";
import { CERTIFICATE } from "../../../support/fake_providers/untrusted_certificate.ts";
import { configure, deliveryTo, impatientFetch } from "../deliveries.ts";

const FROM = "EasyMO <no-reply@easymo.example>";

async function send(
  smtp: FakeSmtp,
  { url = `smtp://${smtp.host}?ignoreTLS=true`, fields = {} }: {
    url?: string;
    fields?: Partial<Delivery<EmailAddress>>;
  } = {},
): Promise<SendOutcome> {
  configure({ SMTP_URL: url, EMAIL_FROM: FROM }, smtp.host, `localhost:${smtp.port}`);
  const provider = emailProvider({ fetch: impatientFetch, isAllowedSocket });
  return await provider.send(deliveryTo({ email: "jean@example.com" }, fields));
}

async function outcomeOf(options: FakeSmtpOptions): Promise<SendOutcome> {
  await using smtp = startFakeSmtp(options);
  return await send(smtp);
}

Deno.test("a mail server gets the e-mail once, as text and HTML", async () => {
  await using smtp = startFakeSmtp();

  const outcome = await send(smtp, { fields: { body: "Muraho <Jean>\n.\nMurakoze" } });

  const id = `<${deliveryTo(null).delivery_id}@easymo.example>`;
  assertEquals(outcome, { kind: "sent", provider: "smtp", provider_message_id: id });
  const [mail, ...others] = smtp.mails;
  assertEquals([mail!.from, mail!.to, others], [
    "MAIL FROM:<no-reply@easymo.example>",
    "RCPT TO:<jean@example.com>",
    [],
  ]);
  const wanted = [
    "From: EasyMO <no-reply@easymo.example>",
    "To: jean@example.com",
    "Subject: Paid",
    `Message-ID: ${id}`,
    "Auto-Submitted: auto-generated",
  ];
  for (const header of wanted) assert(mail!.headers.includes(header), header);
  assert(mail!.text.includes("\nMuraho <Jean>\n..\nMurakoze"));
  assert(mail!.text.includes("<p>Muraho &lt;Jean&gt;<br>.<br>Murakoze</p>"));
});

Deno.test("no words reach the headers of an e-mail", async () => {
  await using smtp = startFakeSmtp();

  await send(smtp, {
    fields: { title: "Paid\r\nBcc: other@example.com\r\n\r\nHello", body: "\r\n.\r\nRCPT TO:<x@y.rw>" },
  });

  const names = smtp.mails[0]!.headers.map((header) => header.split(":", 1)[0]).toSorted();
  assertEquals(names, [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
  ]);
  assertEquals([smtp.mails.length, smtp.commands.filter((line) => line.startsWith("RCPT")).length], [1, 1]);
});

const REPLIES: [at: string, reply: string | null, kind: SendOutcome["kind"], code: string][] = [
  ["EHLO", "421 4.3.2 Shutting down", "temporary", "421"],
  ["MAIL", "451 4.7.1 Try later", "temporary", "451"],
  ["MAIL", "550 5.7.1 Not you", "rejected", "550"],
  ["RCPT", "450 4.2.1 Mailbox busy", "temporary", "450"],
  ["RCPT", "550 5.1.1 No such user", "rejected", "550"],
  ["DATA", "554 5.5.1 No", "rejected", "554"],
  [".", "452 4.3.1 Full", "temporary", "452"],
  [".", "554 5.7.1 Spam", "rejected", "554"],
  ["EHLO", null, "temporary", "ECONNECTION"],
  ["MAIL", null, "temporary", "ECONNECTION"],
  ["RCPT", null, "temporary", "ECONNECTION"],
  ["DATA", null, "temporary", "ECONNECTION"],
  [".", null, "unknown", "ECONNECTION"],
];
for (const [at, reply, kind, code] of REPLIES) {
  Deno.test(`a mail server's ${reply ?? "broken connection"} at ${at} means ${kind}`, async () => {
    const outcome = await outcomeOf({ replies: { [at]: reply } });

    assertEquals([outcome.kind, (outcome as { code?: string }).code], [kind, code]);
  });
}

Deno.test("a mail server that falls silent after the message leaves open whether it took it", async () => {
  assertEquals((await outcomeOf({ replies: { ".": "" } })).kind, "unknown");
});

Deno.test("a mail server that is not there may be tried again", async () => {
  const smtp = startFakeSmtp();
  await smtp[Symbol.asyncDispose]();

  assertEquals((await send(smtp)).kind, "temporary");
});

Deno.test("a mail server gets our name and password, and what it says of them counts", async () => {
  const extensions = ["AUTH PLAIN"];
  await using smtp = startFakeSmtp({ extensions, replies: { AUTH: "235 2.7.0 Welcome" } });
  await using strict = startFakeSmtp({ extensions, replies: { AUTH: "535 5.7.8 Who are you" } });

  const outcome = await send(smtp, { url: `smtp://us%40er:pass%2Fword@${smtp.host}?ignoreTLS=true` });
  const refused = await send(strict, { url: `smtp://user:wrong@${strict.host}?ignoreTLS=true` });

  assertEquals([outcome.kind, refused.kind], ["sent", "rejected"]);
  assert(smtp.commands.includes(`AUTH PLAIN ${btoa("\0us@er\0pass/word")}`));
});

Deno.test("nothing goes to a mail server in the clear, unless its address says so", async () => {
  await using smtp = startFakeSmtp({ extensions: ["AUTH PLAIN"], replies: { STARTTLS: "502 5.5.1 No" } });
  await using refusing = startFakeSmtp({ extensions: ["STARTTLS"], replies: { STARTTLS: "454 4.7.0 No TLS" } });

  const outcomes = [
    await send(smtp, { url: `smtp://user:secret@${smtp.host}` }),
    await send(refusing, { url: `smtp://user:secret@${refusing.host}` }),
  ];

  assertEquals(outcomes.map(({ kind }) => kind), ["rejected", "temporary"]);
  const commands = [...smtp.commands, ...refusing.commands];
  assertEquals(commands.filter((line) => !/^(EHLO|STARTTLS|QUIT)/.test(line)), []);
});

Deno.test("nothing goes to a mail server that cannot prove who it is", async () => {
  await using smtp = startFakeSmtp({ tls: CERTIFICATE });

  const byAddress = await send(smtp, { url: `smtps://user:secret@${smtp.host}` });
  const byName = await send(smtp, { url: `smtps://user:secret@localhost:${smtp.port}` });

  assertEquals([byAddress.kind, byName.kind, smtp.commands], ["rejected", "rejected", []]);
});

Deno.test("a mail server that is not on the list of hosts is not connected to", async () => {
  await using smtp = startFakeSmtp();
  await using other = startFakeSmtp();
  configure({ SMTP_URL: `smtp://${smtp.host}?ignoreTLS=true`, EMAIL_FROM: FROM }, other.host, "127.0.0.1");

  const provider = emailProvider({ fetch: impatientFetch, isAllowedSocket });
  const outcome = await provider.send(deliveryTo({ email: "jean@example.com" }));

  assertEquals(outcome, { kind: "not_configured", provider: "smtp", code: "address_refused" });
  assertEquals(smtp.commands, []);
});

for (const url of ["https://mail.example.com", "mail.example.com:465", "smtps://", "smtp://us%er:x@mail.example.com"]) {
  Deno.test(`${url} is no mail server`, async () => {
    configure({ SMTP_URL: url, EMAIL_FROM: FROM });

    const provider = emailProvider({ fetch: impatientFetch, isAllowedSocket });

    assertEquals((await provider.send(deliveryTo({ email: "jean@example.com" }))).kind, "not_configured");
  });
}
