import { type SettingName, SETTINGS } from "shared/env.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import type { Delivery } from "shared/notifications/provider.ts";
import type { OutboundFetch } from "shared/outbound_fetch.ts";
import { type BadAnswer, DOUBTFUL_ANSWERS } from "../../../scripts/fakes/graph/misbehaviour.ts";
import type { FakeProvider } from "../../support/fake_providers/fake_provider.ts";
import { useSettings } from "../../support/settings.ts";

export const PHONE = "+250788000001";

const PROVIDERS = /^(AFRICAS_TALKING|TWILIO|EXPO|VAPID|RESEND|SMTP|EMAIL)_|^OUTBOUND_ALLOWED_HOSTS$/;
const settings: Partial<Record<SettingName, string | undefined>> = {};
useSettings(settings);

/** Sets the providers' settings, all others of them being unset, and lets our `fetch` reach these hosts. */
export function configure(values: Partial<Record<SettingName, string>>, ...hosts: (string | FakeProvider)[]): void {
  const names = Object.keys(SETTINGS).filter((name) => PROVIDERS.test(name));
  Object.assign(settings, Object.fromEntries(names.map((name) => [name, undefined])), values);
  settings.OUTBOUND_ALLOWED_HOSTS = hosts.map((host) => typeof host === "string" ? host : host.host).join(",");
}

/** Our `fetch`, with less patience than providers ask of it. */
export const impatientFetch: OutboundFetch = (url, init) => guardedFetch(url, { ...init, timeoutMs: 250 });

/** A delivery to this address, but for these fields. */
export function deliveryTo<Address>(address: Address, fields: Partial<Delivery<Address>> = {}): Delivery<Address> {
  return {
    delivery_id: "01930000-0000-7000-8000-000000000001",
    address,
    title: "Paid",
    body: "You were paid 700 RWF",
    data: { screen: "wallet" },
    notification_id: "01930000-0000-7000-8000-000000000002",
    locale: "rw",
    is_critical: false,
    expires_at: null,
    ...fields,
  };
}

/** Everything that a network and what stands in front of a provider can do, after which nobody knows what was done. */
export const DOUBTS: readonly BadAnswer[] = [
  ...DOUBTFUL_ANSWERS.filter((answer) => typeof answer === "string" || "status" in answer),
  { status: 302 },
];

/** A name for a test. */
export function nameOf(answer: BadAnswer): string {
  return typeof answer === "string" ? answer : JSON.stringify(answer);
}
