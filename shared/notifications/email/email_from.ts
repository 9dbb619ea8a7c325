import { setting } from "../../env.ts";
import { Problem } from "../../problem.ts";
import { isMailbox } from "./email_address.ts";

/** Who an e-mail is from: `EasyMO <no-reply@example.com>`, or the address alone. */
const FROM = /^(?:"?([^<>"\p{Cc}]*)"?\s*<([^<>]*)>|([^<>]*))$/u;

/** The sender of our e-mails. */
export interface Sender {
  name: string;
  address: string;
}

/**
 * The sender that `EMAIL_FROM` names.
 *
 * @throws not_configured (503) when it names none
 */
export function emailFrom(): Sender {
  const [, name = "", inBrackets, alone] = FROM.exec(setting("EMAIL_FROM")) ?? [];
  const address = (inBrackets ?? alone ?? "").trim();
  if (!isMailbox(address)) throw new Problem("not_configured", { cause: "EMAIL_FROM is no address" });
  return { name: name.trim(), address };
}
