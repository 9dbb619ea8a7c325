import type { SendMailOptions } from "nodemailer";
import { setting } from "../../env.ts";
import type { Delivery, Provider, SendOutcome } from "../provider.ts";
import type { EmailAddress } from "./email_address.ts";
import { AUTOMATIC, emailContent } from "./email_content.ts";
import { emailFrom } from "./email_from.ts";
import { smtpFailure } from "./smtp_failure.ts";
import { type SmtpServer, smtpServer } from "./smtp_server.ts";

/** Whether a connection to there may be opened: the rule of our `fetch`, which a mail server is not reached by. */
export type IsAllowedSocket = (hostname: string, port: number) => boolean;

const TIMEOUT_MS = 12_000;
const STEP_MS = 6_000;

/** E-mail by a mail server; undefined without one. A repeated e-mail has the same Message-ID. */
export function smtp(isAllowed: IsAllowedSocket): Provider<EmailAddress> | undefined {
  const address = setting("SMTP_URL", null);
  if (!address) return undefined;
  const server = smtpServer(address);
  const from = emailFrom();
  const domain = from.address.split("@")[1]!;
  return {
    async send(delivery: Delivery<EmailAddress>): Promise<SendOutcome> {
      if (!isAllowed(server.host, server.port)) {
        return { kind: "not_configured", provider: "smtp", code: "address_refused" };
      }
      return await mail(server, domain, {
        from,
        to: { name: "", address: delivery.address.email },
        messageId: `<${delivery.delivery_id}@${domain}>`,
        headers: AUTOMATIC,
        ...emailContent(delivery),
      });
    },
  };
}

async function mail(server: SmtpServer, name: string, message: SendMailOptions): Promise<SendOutcome> {
  // Large, and needed by few.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    ...server,
    name,
    // By IPv4 where there is one: on Deno 2.1.4 TLS never falls back to it after IPv6 has failed.
    localAddress: "0.0.0.0",
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    dnsTimeout: STEP_MS,
    // Nothing is left to hear by then.
    socketCloseTimeout: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  let isUnderWay = false;
  // Read from the moment that the server has agreed to take it.
  transport.use("stream", ({ message }, done) => {
    const createReadStream = message!.createReadStream.bind(message);
    message!.createReadStream = (...options: Parameters<typeof createReadStream>) =>
      createReadStream(...options).on("resume", () => {
        isUnderWay = true;
      });
    done();
  });
  try {
    const { messageId, serverMessageId } = await transport.sendMail({
      ...message,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { kind: "sent", provider: "smtp", provider_message_id: serverMessageId ?? messageId };
  } catch (error) {
    return smtpFailure(error, isUnderWay);
  }
}
