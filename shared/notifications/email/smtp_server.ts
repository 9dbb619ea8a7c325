import { Problem } from "../../problem.ts";

/** How a mail server is reached. */
export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte. */
  secure: boolean;
  /** TLS before anything that is secret; false only if the address says so. */
  requireTLS: boolean;
  ignoreTLS: boolean;
  auth?: { user: string; pass: string };
}

/**
 * Reads `smtps://user:password@host:465` (TLS from the first byte) or `smtp://user:password@host:587` (STARTTLS, without
 * which nothing is sent). `?ignoreTLS=true` sends in the clear, for a server on this machine.
 *
 * @throws not_configured (503) when it is neither
 */
export function smtpServer(address: string): SmtpServer {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const secure = url?.protocol === "smtps:";
  if (!url?.hostname || !(secure || url.protocol === "smtp:")) {
    throw new Problem("not_configured", { cause: "SMTP_URL is no smtp or smtps address" });
  }
  const ignoreTLS = url.searchParams.get("ignoreTLS") === "true";
  return {
    host: url.hostname.toLowerCase(),
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !ignoreTLS,
    ignoreTLS,
    ...(url.username && { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  };
}
