/**
 * The push services of the browsers: Chrome and others, Firefox, Edge on Windows, Safari. Clients register endpoints
 * themselves, so an endpoint anywhere else is somebody's attempt to have us call an address of his choice.
 */
const PUSH_SERVICES = [
  "fcm.googleapis.com",
  "updates.push.services.mozilla.com",
  "web.push.apple.com",
  "*.push.apple.com",
  "*.notify.windows.com",
];

/** Whether an endpoint is at a browser's push service, by https at its usual port. */
export function isAtPushService(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, hostname, port, username, password } = new URL(endpoint);
  return protocol === "https:" && port === "" && username === "" && password === "" &&
    PUSH_SERVICES.some((name) => name.startsWith("*.") ? hostname.endsWith(name.slice(1)) : hostname === name);
}
