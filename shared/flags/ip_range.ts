/** The addresses that share their first bits with one. */
export interface IpRange {
  bytes: number[];
  prefix: number;
}

/** A range in CIDR notation, or a single address; nothing when it is neither. */
export function ipRangeOf(text: string): IpRange | undefined {
  const [, address, bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = address === undefined ? undefined : ipAddressOf(address);
  if (!bytes) return undefined;
  const prefix = bits === undefined ? bytes.length * 8 : Number(bits);
  return prefix <= bytes.length * 8 ? { bytes, prefix } : undefined;
}

/** The bytes of an address: 4, or 16 of IPv6; nothing when it is none. */
export function ipAddressOf(text: string): number[] | undefined {
  return text.includes(":") ? ipv6Of(text) : ipv4Of(text);
}

/** Whether an address lies in a range; those of IPv4 and IPv6 never mix. */
export function isInRange(address: number[], range: IpRange): boolean {
  return address.length === range.bytes.length && address.every((byte, position) => {
    const bits = Math.min(Math.max(range.prefix - position * 8, 0), 8);
    return (byte ^ range.bytes[position]!) >> (8 - bits) === 0;
  });
}

function ipv4Of(text: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".");
  return parts.every((part) => Number(part) <= 255 && String(Number(part)) === part) ? parts.map(Number) : undefined;
}

function ipv6Of(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = [groupsOf(halves[0]!, halves.length === 1), groupsOf(halves[1] ?? "", true)];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const embedded = mayEndInIpv4 && groups.at(-1)!.includes(".") ? ipv4Of(groups.pop()!) : [];
  if (!embedded || !groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return [...groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]), ...embedded];
}
