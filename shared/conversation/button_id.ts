/** What a tap says. */
export interface Tap {
  action: string;
  argument: string;
  /** The version of the session that the button belongs to; 0 for one that goes with a trip, whatever the session does. */
  version: number;
  /** Until when it means something, in milliseconds since 1970. */
  expiresAt: number;
}

const PATTERN = /^([a-z_]{1,32})\|([\w:.-]{0,100})\|([0-9a-z]{1,8})\|([0-9a-z]{1,8})$/;

/** Writes a tap as the id of a button or row. */
export function buttonId({ action, argument, version, expiresAt }: Tap): string {
  return [action, argument, version.toString(36), Math.floor(expiresAt / 1000).toString(36)].join("|");
}

/** Reads the id of a button of ours; null for what is none. */
export function readButtonId(id: string): Tap | null {
  const [, action, argument, version, expiresAt] = PATTERN.exec(id) ?? [];
  if (action === undefined || argument === undefined || !version || !expiresAt) return null;
  return { action, argument, version: parseInt(version, 36), expiresAt: parseInt(expiresAt, 36) * 1000 };
}
