/** IPv4 ranges that are not the public internet (IANA special-purpose registry): first address and prefix length. */
const PRIVATE_IPV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const;

/** Names that resolve inside: this machine, a private zone, a cloud's metadata service. */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home\.arpa)\.?$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/**
 * Tells whether a host is this machine, a private network or a metadata service, as far as its name shows.
 *
 * @param hostname - `URL.hostname`: lower case, addresses in their one canonical spelling
 */
export function isPrivateHost(hostname: string): boolean {
  if (hostname.startsWith("[")) return isPrivateIpv6(hostname.slice(1, -1));
  if (IPV4.test(hostname)) return isPrivateIpv4(toNumber(hostname));
  // A name without a dot is looked up in the local search domain.
  return !hostname.includes(".") || PRIVATE_NAME.test(hostname);
}

function isPrivateIpv4(address: number): boolean {
  return PRIVATE_IPV4.some(([first, length]) => address >>> (32 - length) === toNumber(first) >>> (32 - length));
}

/** Only 2000::/3 is routed publicly, and within it 6to4 and Teredo carry an IPv4 address of somebody's choice. */
function isPrivateIpv6(address: string): boolean {
  const first = parseInt(address, 16);
  const isGlobal = first >= 0x2000 && first <= 0x3fff;
  return !isGlobal || first === 0x2002 || /^2001:(?:0|db8|:)/.test(address);
}

function toNumber(ipv4: string): number {
  return ipv4.split(".").reduce((number, part) => (number << 8 | Number(part)) >>> 0, 0);
}
