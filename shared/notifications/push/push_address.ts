/** The devices and browsers of a person, the one seen last first: their `push_endpoints`. */
export interface PushAddress {
  endpoints: PushEndpoint[];
}

/** One of them. */
export type PushEndpoint = ExpoEndpoint | WebPushEndpoint;

/** An app, by its token at Expo. */
export interface ExpoEndpoint {
  id: string;
  service: "expo";
  address: { token: string };
}

/** A browser, by its `PushSubscription`. */
export interface WebPushEndpoint {
  id: string;
  service: "web_push";
  address: { endpoint: string; keys: { p256dh: string; auth: string } };
}
