import { assert, assertFalse } from "@std/assert";
import { isPrivateHost } from "shared/http/private_host.ts";

/** Written as attackers write them; the URL parser makes one spelling of each. */
const PRIVATE = [
  "127.0.0.1",
  "2130706433",
  "0177.0.0.1",
  "0x7f.1",
  "127.1",
  "0.0.0.0",
  "0",
  "10.1.2.3",
  "100.64.0.1",
  "100.127.255.255",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "１２７.０.０.１",
  "localhost",
  "LOCALHOST.",
  "db.internal",
  "printer.local",
  "metadata.google.internal",
  "kong",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:8.8.8.8]",
  "[64:ff9b::7f00:1]",
  "[fe80::1]",
  "[fd00:ec2::254]",
  "[fc00::1]",
  "[ff02::1]",
  "[2002:7f00:1::]",
  "[2001::1]",
  "[2001:db8::1]",
];
const PUBLIC = [
  "graph.facebook.com",
  "8.8.8.8",
  "172.15.255.255",
  "172.32.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "169.253.0.1",
  "[2606:4700::1111]",
  "[2001:4860:4860::8888]",
  "localhost.example.com",
];

for (const host of PRIVATE) {
  Deno.test(`isPrivateHost() knows ${host}`, () => {
    assert(isPrivateHost(new URL(`https://${host}`).hostname));
  });
}

for (const host of PUBLIC) {
  Deno.test(`isPrivateHost() lets ${host} be public`, () => {
    assertFalse(isPrivateHost(new URL(`https://${host}`).hostname));
  });
}
