/** Where an e-mail goes. */
export interface EmailAddress {
  email: string;
}

/** One mailbox and nothing else: no list, no name, nothing that a header or a command could end with. */
const MAILBOX = /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}@[^\s@<>()[\]\\,;:"\p{Cc}]{1,253}$/u;

/** Whether a text is one plain e-mail address. */
export function isMailbox(text: string): boolean {
  return MAILBOX.test(text);
}
