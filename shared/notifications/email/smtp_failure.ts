import { impersonal } from "../impersonal.ts";
import type { NotTaken } from "../provider.ts";

/** What nodemailer says of a failure. */
interface MailError extends Error {
  code?: string;
  /** Of the server's reply, if it gave one. */
  responseCode?: number;
  response?: string;
}

/** Failures before the message went out that no waiting heals: no TLS, no login, an envelope that nobody takes. */
const FINAL = ["ETLS", "EAUTH", "ENOAUTH", "EENVELOPE", "EMESSAGE"];
const UNTRUSTED_CERTIFICATE = /certificate/i;

/**
 * What a failed session means. A reply of the server is definite: 4yz may heal, 5yz does not (RFC 5321, section 4.2.1).
 *
 * @param isUnderWay - whether the message had begun to go out, so that without a reply nobody knows
 */
export function smtpFailure(thrown: unknown, isUnderWay: boolean): NotTaken {
  const { code, message = "", responseCode, response } = thrown as Partial<MailError>;
  return {
    kind: kindOf({ code, message, responseCode }, isUnderWay),
    provider: "smtp",
    code: String(responseCode ?? code ?? "failed"),
    detail: impersonal(response ?? message),
  };
}

function kindOf({ code = "", message, responseCode }: Partial<MailError>, isUnderWay: boolean): NotTaken["kind"] {
  if (responseCode) return responseCode < 500 ? "temporary" : "rejected";
  if (isUnderWay) return "unknown";
  return FINAL.includes(code) || UNTRUSTED_CERTIFICATE.test(message ?? "") ? "rejected" : "temporary";
}
